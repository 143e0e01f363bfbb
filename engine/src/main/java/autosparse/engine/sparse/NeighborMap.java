package autosparse.engine.sparse;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/**
 * Which inputs each output of a sparse convolution reads: sorted CSR over the outputs.
 *
 * <p>Output o has the neighbours inputs[pointers[o]] to inputs[pointers[o+1]], one for each set bit
 * of masks[o], in ascending offset k. The gradient by the input needs the opposite direction: for a
 * submanifold kernel that is the same map read with mirrored offsets; for a strided one the {@link
 * #transposed()} map, whose "outputs" are the convolution's inputs.
 */
public final class NeighborMap {
  private final ConvolutionKernel kernel;
  private final Sites inputSites;
  private final Sites outputSites;
  private final Tensor pointers;
  private final Tensor masks;
  private final Tensor inputs;
  private final Tensor order;
  private final NeighborMap transposed;

  /** A map whose outputs are processed in their own order; see the full constructor. */
  public NeighborMap(
      ConvolutionKernel kernel,
      Sites inputSites,
      Sites outputSites,
      Tensor pointers,
      Tensor masks,
      Tensor inputs,
      NeighborMap transposed) {
    this(kernel, inputSites, outputSites, pointers, masks, inputs, null, transposed);
  }

  /**
   * @param pointers I64 [N_out + 1]
   * @param masks I32 [N_out], bit k set when the neighbour at offset k is active
   * @param inputs I32 [pairs]
   * @param order I32 [N_out], the outputs in an order that a device likes to process them in (sites
   *     of equal masks together, say); null for their own
   * @param transposed the opposite direction of a strided map; null for a submanifold one, for the
   *     opposite direction itself, and where no gradient by the input will be asked for
   */
  public NeighborMap(
      ConvolutionKernel kernel,
      Sites inputSites,
      Sites outputSites,
      Tensor pointers,
      Tensor masks,
      Tensor inputs,
      Tensor order,
      NeighborMap transposed) {
    this.kernel = kernel;
    this.inputSites = inputSites;
    this.outputSites = outputSites;
    this.pointers = pointers;
    this.masks = masks;
    this.inputs = inputs;
    this.order = order;
    this.transposed = transposed;
    if (pointers.dtype() != DType.I64
        || masks.dtype() != DType.I32
        || inputs.dtype() != DType.I32
        || pointers.elements() != outputSites.count() + 1
        || masks.elements() != outputSites.count()
        || (order != null
            && (order.dtype() != DType.I32 || order.elements() != masks.elements()))) {
      throw new IllegalArgumentException(
          "neighbour map of "
              + outputSites
              + ": pointers "
              + pointers
              + ", masks "
              + masks
              + ", inputs "
              + inputs
              + ", order "
              + order);
    }
  }

  /** Which offsets the bits of {@link #masks} stand for. */
  public ConvolutionKernel kernel() {
    return kernel;
  }

  /** Sites that are read. */
  public Sites inputSites() {
    return inputSites;
  }

  /** Sites that are written. */
  public Sites outputSites() {
    return outputSites;
  }

  /**
   * I64 [outputs + 1]: the inputs of output i are inputs[pointers[i]] to inputs[pointers[i + 1]].
   */
  public Tensor pointers() {
    return pointers;
  }

  /** I32 [outputs]: bit k says that the input at offset k is active. */
  public Tensor masks() {
    return masks;
  }

  /** I32 [pairs]: numbers of input sites, those of one output by rising offset. */
  public Tensor inputs() {
    return inputs;
  }

  /** The order in which to process the outputs, or null; results do not depend on it. */
  public Tensor order() {
    return order;
  }

  /** Number of (output, offset) pairs whose input is active. */
  public long pairs() {
    return inputs.elements();
  }

  /**
   * The map from inputs to the outputs that read them (strided kernels).
   *
   * <p>Row i of it lists the outputs that read input i; its bit k means that input i is the
   * neighbour at offset k of that output (the convolution's own k, not mirrored).
   *
   * @throws IllegalStateException for a submanifold map, which is its own opposite, and where the
   *     transposed map was not made
   */
  public NeighborMap transposed() {
    if (transposed == null) {
      throw new IllegalStateException("a " + kernel + " map has no transposed map");
    }
    return transposed;
  }
}
