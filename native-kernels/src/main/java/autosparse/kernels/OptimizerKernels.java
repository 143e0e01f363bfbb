package autosparse.kernels;

/** Launches the kernels of {@code optimizer.cu}. Arguments are device addresses. */
public final class OptimizerKernels {
  private static final String FAMILY = "optimizer";
  private static final int THREADS = 256;
  private static final int TILE = 4096;

  private final Kernel squareTiles;
  private final Kernel norm;
  private final Kernel adam;
  private final Kernel average;

  public OptimizerKernels(CudaContext context) {
    squareTiles = context.kernel(FAMILY, "square_tiles_f32");
    norm = context.kernel(FAMILY, "norm_f32");
    adam = context.kernel(FAMILY, "adam_f32");
    average = context.kernel(FAMILY, "average_f32");
  }

  /**
   * Builds the table of tensors that the kernels read: seven 64-bit words a tensor, the addresses
   * of its weights, gradients, two moments and average, its elements, and the number of its first
   * tile.
   */
  public static final class TensorTable {
    private static final int WORDS = 7;

    private final long[] words;
    private int tensors;
    private long tiles;

    public TensorTable(int tensors) {
      words = new long[WORDS * tensors];
    }

    /** Appends a tensor for {@link #globalNorm}. */
    public void addGradient(long gradient, long elements) {
      addParameter(0, gradient, 0, 0, 0, elements);
    }

    /** Appends a tensor for {@link #adam} and, where it has an average, for {@link #average}. */
    public void addParameter(
        long weight,
        long gradient,
        long firstMoment,
        long secondMoment,
        long average,
        long elements) {
      int at = WORDS * tensors++;
      words[at] = weight;
      words[at + 1] = gradient;
      words[at + 2] = firstMoment;
      words[at + 3] = secondMoment;
      words[at + 4] = average;
      words[at + 5] = elements;
      words[at + 6] = tiles;
      tiles += Grids.blocks(elements, TILE);
    }

    /** Appends a tensor for {@link #average}. */
    public void addAverage(long weight, long average, long elements) {
      addParameter(weight, 0, 0, 0, average, elements);
    }

    /** The table, to be copied to the device. */
    public long[] words() {
      return words.clone();
    }

    public int tensors() {
      return tensors;
    }

    /** Tiles that the tensors are cut into. */
    public long tiles() {
      return tiles;
    }
  }

  /**
   * Constants of one step, see {@code autosparse.engine.operators.OptimizerOperators.AdamStep}.
   *
   * @param clipNorm largest gradient norm; 0 for no clipping
   * @param coupledDecay of the gradient
   * @param decoupledDecay of the weight, times the rate
   * @param take1 1 − keep1, rounded once; so is take2
   * @param rate over the first moment's correction
   */
  public record AdamConstants(
      float clipNorm,
      float coupledDecay,
      float decoupledDecay,
      float keep1,
      float take1,
      float keep2,
      float take2,
      float rate,
      float inverseCorrection2,
      float epsilon) {}

  /**
   * norm = √Σ g² over the table's gradients.
   *
   * @param entries the table on the device
   * @param squares F64 [tiles], overwritten
   * @param norm [1]
   */
  public void globalNorm(TensorTable table, long entries, long squares, long norm) {
    squareTiles.begin().pointer(entries).int32(table.tensors()).pointer(squares);
    squareTiles.launch(table.tiles(), THREADS);
    this.norm.begin().pointer(squares).int64(table.tiles()).pointer(norm).launch(1, THREADS);
  }

  /** One Adam step over the table's tensors. */
  public void adam(TensorTable table, long entries, long norm, AdamConstants step) {
    adam.begin().pointer(entries).int32(table.tensors()).pointer(norm);
    adam.float32(step.clipNorm()).float32(step.coupledDecay()).float32(step.decoupledDecay());
    adam.float32(step.keep1()).float32(step.take1()).float32(step.keep2()).float32(step.take2());
    adam.float32(step.rate()).float32(step.inverseCorrection2()).float32(step.epsilon());
    adam.launch(table.tiles(), THREADS);
  }

  /** average += share·(weight − average) over the table's tensors. */
  public void average(TensorTable table, long entries, float share) {
    average.begin().pointer(entries).int32(table.tensors()).float32(share);
    average.launch(table.tiles(), THREADS);
  }
}
