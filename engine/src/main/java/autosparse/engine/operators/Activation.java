package autosparse.engine.operators;

/** Pointwise non-linearities. */
public enum Activation {
  /** x. */
  IDENTITY,
  /** max(0, x). */
  RELU,
  /** x·Φ(x), with Φ the normal distribution function (the exact form, by erf). */
  GELU
}
