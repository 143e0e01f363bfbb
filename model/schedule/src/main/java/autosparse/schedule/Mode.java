package autosparse.schedule;

/** How one level of a sparse tensor is stored (TACO's level formats, AutoSparse's codes). */
public enum Mode {
  /** Every coordinate present. */
  DENSE(0, 'd'),
  /** Coordinates listed, each once per parent. */
  COMPRESSED(1, 's'),
  /** Coordinates listed, repeated once per child. */
  COMPRESSED_NON_UNIQUE(2, 'u'),
  /** One coordinate per parent. */
  SINGLETON(3, 'q'),
  /** One coordinate per parent, which may repeat. */
  SINGLETON_NON_UNIQUE(4, 'c');

  private final int code;
  private final char letter;

  Mode(int code, char letter) {
    this.code = code;
    this.letter = letter;
  }

  /** AutoSparse's number for it, 0 to 4. */
  public int code() {
    return code;
  }

  /** AutoSparse's letter for it: d, s, u, q, c. */
  public char letter() {
    return letter;
  }

  /** Whether a parallel loop may run over a level of this mode: dense or compressed of any kind. */
  public boolean isParallelizable() {
    return this == DENSE || this == COMPRESSED || this == COMPRESSED_NON_UNIQUE;
  }

  /** The mode of a code, 0 to 4; throws {@link IllegalArgumentException} for any other. */
  public static Mode ofCode(int code) {
    return switch (code) {
      case 0 -> DENSE;
      case 1 -> COMPRESSED;
      case 2 -> COMPRESSED_NON_UNIQUE;
      case 3 -> SINGLETON;
      case 4 -> SINGLETON_NON_UNIQUE;
      default -> throw new IllegalArgumentException("mode code " + code + ", expected 0 to 4");
    };
  }
}
