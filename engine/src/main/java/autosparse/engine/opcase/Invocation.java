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

  /** Gradient of a call. */
  @FunctionalInterface
  public interface Gradient {
    /**
     * @param scope where results and temporaries are made
     * @param dOutputs gradient by each output; null entries count as zero
     * @return gradient by each input, null for an input that has none
     */
    List<Tensor> run(TensorScope scope, List<Tensor> dOutputs);
  }
}
