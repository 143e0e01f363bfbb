package autosparse.costmodel.tokens;

/**
 * The kinds of a schedule's tokens, in the published order of their one-hots; {@link #DERIVED} is
 * ours and comes last.
 */
enum TokenKind {
  FSPLIT,
  FREORDER,
  FMODE,
  LSPLIT,
  LREORDER,
  PARALLEL,
  UNROLL,
  VECTOR,
  OPENMP,
  SPARSE_INFO,
  SPARSE_FEATURE,
  DERIVED;

  /** Kinds that the published code knows. */
  static final int PUBLISHED = 11;

  /** Index of this kind's one-hot. */
  @SuppressWarnings("EnumOrdinal") // the order of declaration IS the published order
  int place() {
    return ordinal();
  }
}
