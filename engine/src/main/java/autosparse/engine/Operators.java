package autosparse.engine;

import autosparse.engine.operators.AttentionOperators;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.EmbeddingOperators;
import autosparse.engine.operators.GemmOperators;
import autosparse.engine.operators.NormalizationOperators;
import autosparse.engine.operators.OptimizerOperators;
import autosparse.engine.operators.PoolingOperators;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.engine.operators.ReductionOperators;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.operators.SparsePatternOperators;

/**
 * Everything that a device can compute, by family.
 *
 * <p>Operators write into tensors that the caller made. Conventions that hold everywhere: gradients
 * of weights are ACCUMULATED into their target (+=), gradients of activations are WRITTEN (=); an
 * output may not overlap an input unless the operator says so; empty tensors are legal. Each family
 * checks shapes and types once, with the values in the message, and then calls its implementation,
 * which does not check again. Same inputs and device give the same bits, whatever the number of
 * threads.
 */
public record Operators(
    GemmOperators gemm,
    ElementwiseOperators elementwise,
    ReductionOperators reduction,
    EmbeddingOperators embedding,
    NormalizationOperators normalization,
    AttentionOperators attention,
    SparsePatternOperators pattern,
    SparseConvolutionOperators convolution,
    PoolingOperators pooling,
    RankingLossOperators rankingLoss,
    OptimizerOperators optimizer,
    Runnable onClose) {

  /** Stops what the implementations started (threads); the operators are unusable afterwards. */
  void close() {
    onClose.run();
  }
}
