package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import java.util.List;

/**
 * One bound call of an operator: its tensors, what to run, and what it costs.
 *
 * @param inputs tensors that the call reads; those of a real type are what gradients are taken by
 * @param outputs tensors that the call writes and that tests compare; accumulated outputs are
 *     initialised by the preparation
 * @param run the call; may be run again (accumulated outputs then grow)
 * @param gradient the call's gradient, or null for an operator that is not differentiable or is
 *     itself a backward operator
 * @param bytes least bytes that the call has to move
 * @param flops floating-point operations that the call has to do
 */
public record Invocation(
    List<Tensor> inputs,
    List<Tensor> outputs,
    Runnable run,
    Gradient gradient,
    double bytes,
    double flops) {

  /** An invocation whose bytes are those of its inputs and outputs, each moved once. */
  static Invocation of(
      List<Tensor> inputs, List<Tensor> outputs, Runnable run, Gradient gradient, double flops) {
    double bytes = 0;
    for (Tensor tensor : inputs) {
      bytes += tensor.bytes();
    }
    for (Tensor tensor : outputs) {
      bytes += tensor.bytes();
    }
    return new Invocation(inputs, outputs, run, gradient, bytes, flops);
  }

  /** Gradient of a call. */
  @FunctionalInterface
  public interface Gradient {
    /**
     * @param scope where results and temporaries are made
     * @param dOutputs gradient by each output; null entries count as zero
     * @return gradient by each input, null for an input that has none
     */
    List<Tensor> run(TensorScope scope, List<Tensor> dOutputs);

    /**
     * How many of the outputs, from the first on, the gradient is taken of; later ones (statistics
     * kept for the backward pass, gradients that a loss computes along) get null.
     */
    default int differentiableOutputs() {
      return Integer.MAX_VALUE;
    }

    /** A gradient of the first {@code count} outputs alone. */
    static Gradient ofFirst(int count, Gradient gradient) {
      return new Gradient() {
        @Override
        public List<Tensor> run(TensorScope scope, List<Tensor> dOutputs) {
          return gradient.run(scope, dOutputs);
        }

        @Override
        public int differentiableOutputs() {
          return count;
        }
      };
    }
  }
}
