package autosparse.engine.operators;

/** Pointwise non-linearities. */
public enum Activation {
  IDENTITY,
  RELU,
  /** x·Φ(x), with Φ the normal distribution function (the exact form, by erf). */
  GELU
}
