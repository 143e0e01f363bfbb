package autosparse.schedule;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * Reads Matrix Market files, plain or gzipped: coordinate form, real, integer or pattern, general,
 * symmetric or skew-symmetric (both expanded). Values are checked and dropped; a stored zero counts
 * as a nonzero, as in every sparse format. Entries may come in any order.
 */
final class MatrixMarketReader {
  private static final int MAX_ENTRIES = Integer.MAX_VALUE - 16;

  /** The shortest line of an entry: two digits, a blank and a line break. */
  private static final int LEAST_BYTES = 4;

  /** Deflate makes text no smaller than this share of it. */
  private static final int MOST_DEFLATED = 1032;

  private final Path file;
  private final LineReader lines;
  private boolean pattern;
  private boolean integer;
  private boolean mirrored;
  private boolean skew;
  private int rows;
  private int cols;
  private long declared;
  private String text;
  private int cursor;

  /** Entries as row << 32 | column, from 0, in the order of the file until sorted. */
  private long[] entries = new long[0];

  private int count;

  private MatrixMarketReader(Path file, LineReader lines) {
    this.file = file;
    this.lines = lines;
  }

  static SparsityPattern read(Path file, String name) {
    try (LineReader lines = LineReader.open(file)) {
      return new MatrixMarketReader(file, lines).read(name);
    }
  }

  static MatrixSize size(Path file) {
    try (LineReader lines = LineReader.open(file)) {
      MatrixMarketReader reader = new MatrixMarketReader(file, lines);
      reader.readHeader();
      int most = reader.mostEntries();
      return new MatrixSize(reader.rows, reader.cols, most, HeapSize.array(most, Long.BYTES));
    }
  }

  /**
   * Nonzeros that the size line announces and a file of this length can hold: what a mangled size
   * line claims beyond is not allocated for.
   */
  private int mostEntries() {
    long length;
    try {
      length = Files.size(file);
    } catch (IOException broken) {
      throw new InputException(file + ": cannot be read (" + broken + ")", broken);
    }
    long text = file.toString().endsWith(".gz") ? MOST_DEFLATED * length : length;
    long entries = Math.min(declared, text / LEAST_BYTES + 1);
    return (int) Math.min(MAX_ENTRIES, (mirrored ? 2 : 1) * entries);
  }

  private SparsityPattern read(String name) {
    readHeader();
    int most = mostEntries();
    MemoryGuard.require(
        MatrixPattern.bytes(rows, most) + HeapSize.array(most, Long.BYTES),
        "the matrix of " + rows + " rows and up to " + most + " nonzeros",
        lines.source());
    entries = new long[most];
    for (long entry = 0; entry < declared; entry++) {
      if (!nextContent()) {
        throw wrong("entries", entry, declared + " as the size line says; the file ends early");
      }
      readEntry();
    }
    if (nextContent()) {
      throw wrong("entries", "one more: " + text, "only " + declared + ", as the size line says");
    }
    Arrays.sort(entries, 0, count);
    for (int e = 1; e < count; e++) {
      if (entries[e] == entries[e - 1]) {
        throw duplicate(entries[e]);
      }
    }
    return build(name);
  }

  private void readHeader() {
    text = lines.next();
    if (text == null) {
      throw InputException.field(
          SourceLocation.of(file, 1), "banner", "empty file", "%%MatrixMarket ...");
    }
    String[] words = text.trim().split("\\s+", -1);
    if (!words[0].equalsIgnoreCase("%%MatrixMarket")) {
      throw wrong("banner", text, "a line that begins with %%MatrixMarket");
    }
    if (words.length != 5) {
      throw wrong("banner", text, "%%MatrixMarket matrix coordinate FIELD SYMMETRY");
    }
    requireWord("object", words[1], "matrix");
    requireWord("format", words[2], "coordinate");
    String field = requireWord("field", words[3], "real", "integer", "pattern");
    String symmetry = requireWord("symmetry", words[4], "general", "symmetric", "skew-symmetric");
    pattern = field.equals("pattern");
    integer = field.equals("integer");
    skew = symmetry.equals("skew-symmetric");
    mirrored = skew || symmetry.equals("symmetric");
    if (skew && pattern) {
      throw wrong("symmetry", "skew-symmetric pattern", "real or integer values with it");
    }
    if (!nextContent()) {
      throw wrong("size line", "end of file", "ROWS COLUMNS ENTRIES");
    }
    rows = (int) integer("rows", 0, Integer.MAX_VALUE - 1);
    cols = (int) integer("columns", 0, Integer.MAX_VALUE - 1);
    declared = integer("entries", 0, MAX_ENTRIES);
    endOfLine("size line");
    if (mirrored && rows != cols) {
      throw wrong("size line", rows + " x " + cols, "a square matrix, being " + symmetry);
    }
    if ((double) declared > (double) rows * cols) {
      throw wrong("entries", declared, "at most " + rows + " x " + cols);
    }
  }

  private String requireWord(String field, String word, String... accepted) {
    String lower = word.toLowerCase(Locale.ROOT);
    if (!Arrays.asList(accepted).contains(lower)) {
      throw wrong(field, word, String.join(" or ", accepted));
    }
    return lower;
  }

  private void readEntry() {
    long row = integer("row", 1, rows) - 1;
    long col = integer("column", 1, cols) - 1;
    if (!pattern) {
      checkValue(word("value"));
    }
    endOfLine("entry");
    add(row, col);
    if (mirrored && row != col) {
      add(col, row);
    } else if (skew) {
      throw wrong(
          "entry", (row + 1) + " " + (col + 1), "none on the diagonal, being skew-symmetric");
    }
  }

  private void add(long row, long col) {
    if (count == entries.length) {
      throw wrong("entries", declared, "fewer than 2^31 after expanding the symmetry");
    }
    entries[count++] = row << 32 | col;
  }

  private SparsityPattern build(String name) {
    long[] rowPointers = new long[rows + 1];
    int[] columns = new int[count];
    for (int e = 0; e < count; e++) {
      rowPointers[(int) (entries[e] >>> 32) + 1]++;
      columns[e] = (int) entries[e];
    }
    for (int row = 0; row < rows; row++) {
      rowPointers[row + 1] += rowPointers[row];
    }
    return SparsityPattern.wrap(name, rows, cols, rowPointers, columns);
  }

  /**
   * Reads the file once more to name the line: keeping every entry's line would double the memory.
   */
  private InputException duplicate(long entry) {
    long row = entry >>> 32;
    long col = entry & 0xffffffffL;
    try (LineReader again = LineReader.open(file)) {
      MatrixMarketReader reader = new MatrixMarketReader(file, again);
      reader.readHeader();
      boolean seen = false;
      while (reader.nextContent()) {
        long r = reader.integer("row", 1, rows) - 1;
        long c = reader.integer("column", 1, cols) - 1;
        if ((r == row && c == col) || (mirrored && r == col && c == row)) {
          if (seen) {
            return reader.wrong(
                "entry",
                (r + 1) + " " + (c + 1),
                "each position once"
                    + (mirrored ? ", counting its mirror image" : "")
                    + "; this is a duplicate");
          }
          seen = true;
        }
      }
    }
    return InputException.at(
        SourceLocation.of(file), "duplicate entry " + (row + 1) + " " + (col + 1));
  }

  /** The next line that is neither a comment nor blank becomes the text to read from. */
  private boolean nextContent() {
    int length;
    while ((length = lines.nextBytes()) >= 0) {
      byte[] bytes = lines.bytes();
      int first = 0;
      while (first < length && isBlank((char) (bytes[first] & 0xff))) {
        first++;
      }
      if (first < length && bytes[first] != '%') {
        text = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        cursor = first;
        return true;
      }
    }
    return false;
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private String word(String field) {
    while (cursor < text.length() && isBlank(text.charAt(cursor))) {
      cursor++;
    }
    int start = cursor;
    while (cursor < text.length() && !isBlank(text.charAt(cursor))) {
      cursor++;
    }
    if (start == cursor) {
      throw wrong(field, text, "a " + field + " on this line; it ends before it");
    }
    return text.substring(start, cursor);
  }

  private void endOfLine(String what) {
    while (cursor < text.length() && isBlank(text.charAt(cursor))) {
      cursor++;
    }
    if (cursor < text.length()) {
      throw wrong(what, text, "nothing after '" + text.substring(0, cursor).trim() + "'");
    }
  }

  private long integer(String field, long least, long most) {
    String word = word(field);
    long value = 0;
    boolean plain = word.length() <= 18;
    for (int i = 0; plain && i < word.length(); i++) {
      char c = word.charAt(i);
      plain = c >= '0' && c <= '9';
      value = 10 * value + (c - '0');
    }
    if (!plain || value < least || value > most) {
      throw wrong(field, word, "an integer from " + least + " to " + most);
    }
    return value;
  }

  private void checkValue(String word) {
    try {
      if (integer) {
        Long.parseLong(word);
      } else {
        Double.parseDouble(word);
      }
    } catch (NumberFormatException malformed) {
      throw new InputException(
          wrong("value", word, integer ? "an integer" : "a number").getMessage(), malformed);
    }
  }

  private InputException wrong(String field, Object value, String expected) {
    return InputException.field(lines.source(), field, value, expected);
  }
}
