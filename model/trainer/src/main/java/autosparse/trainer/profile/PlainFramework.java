package autosparse.trainer.profile;

import autosparse.costmodel.ModelKind;
import autosparse.engine.sparse.ConvolutionKernel;

/**
 * What the same step takes in a plain framework (gather, product and index_add for each offset of a
 * kernel), by the peaks that PyTorch had on an H200 on 2026-11-22, bf16.
 *
 * <p>The AutoSparse network at 128 channels: 116.8 GB for a band matrix of 9,999,979 nonzeros (8.11
 * neighbours of a site in a 3×3 window) and 60.3 GB for an R-MAT matrix of 9,712,061 (1.31), so
 * bytes of a nonzero as a straight line in its neighbours; proportional to channels and to the
 * bytes of an element. WACO's network at 32 channels: 21.5 GB for the band, .74 of what the line
 * gives.
 */
public final class PlainFramework {
  private static final double BAND_NEIGHBORS = 8.11;
  private static final double BAND_BYTES = 116.8e9 / 9_999_979;
  private static final double RMAT_NEIGHBORS = 1.31;
  private static final double RMAT_BYTES = 60.3e9 / 9_712_061;
  private static final double MEASURED_CHANNELS = 128;
  private static final double MEASURED_ELEMENT = 2;
  private static final double WACO_SHARE = 21.5 / (116.8 * 32 / MEASURED_CHANNELS);

  /** The window in which neighbours are counted. */
  public static final ConvolutionKernel WINDOW = new ConvolutionKernel(3, 1, 1);

  /** The estimate in words, for a reader. */
  public static final String SOURCE =
      "Estimate from what plain PyTorch took on an H200 in bf16 at 128 channels: 116.8 GB for a band"
          + " of 10 million nonzeros (8.11 neighbours of a nonzero in a 3×3 window), 60.3 GB for an"
          + " R-MAT matrix of 9.7 million (1.31); a straight line in the neighbours, times nonzeros,"
          + " channels and bytes of an element. WACO's tower took 21.5 GB at 32 channels for the band,"
          + " .74 of the line. Weights, optimiser and head come on top: for a small matrix they are most.";

  private PlainFramework() {}

  /**
   * Peak of a training step.
   *
   * @param nonzeros of the matrix
   * @param pairs of two nonzeros of which one lies in the {@link #WINDOW} around the other
   * @param element bytes of a feature
   */
  public static double bytes(long nonzeros, long pairs, ModelKind kind, int channels, int element) {
    double slope = (BAND_BYTES - RMAT_BYTES) / (BAND_NEIGHBORS - RMAT_NEIGHBORS);
    double neighbors = (double) pairs / Math.max(1, nonzeros);
    double ofSite = RMAT_BYTES + slope * (neighbors - RMAT_NEIGHBORS);
    boolean waco = kind == ModelKind.WACO || kind == ModelKind.WACO_WIDE;
    return nonzeros
        * ofSite
        * (channels / MEASURED_CHANNELS)
        * (element / MEASURED_ELEMENT)
        * (waco ? WACO_SHARE : 1);
  }
}
