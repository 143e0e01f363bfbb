package autosparse.engine.reference;

import autosparse.engine.Operators;

/** Assembles the families. */
public final class ReferenceOperators {
  private ReferenceOperators() {}

  public static Operators create() {

    return new Operators(
        null, // gemm
        null, // elementwise
        null, // reduction
        null, // embedding
        null, // normalization
        null, // attention
        new ReferenceSparsePattern(),
        new ReferenceSparseConvolution(),
        new ReferencePooling(),
        null, // ranking loss
        null, // optimizer
        () -> {});
  }
}
