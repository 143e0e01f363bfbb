package autosparse.engine.reference;

import autosparse.engine.Operators;

/** Assembles the families. */
public final class ReferenceOperators {
  private ReferenceOperators() {}

  public static Operators create() {
    return new Operators(
        new ReferenceGemm(),
        new ReferenceElementwise(),
        new ReferenceReduction(),
        new ReferenceEmbedding(),
        new ReferenceNormalization(),
        new ReferenceAttention(),
        null,
        null,
        null,
        new ReferenceRankingLoss(),
        new ReferenceOptimizer(),
        () -> {});
  }
}
