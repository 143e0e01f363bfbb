package autosparse.tuner.generate;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.schedule.InputException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Writes patterns, row after row, as the readers read them: {@code .csr} in AutoSparse's layout,
 * {@code .mtx} and {@code .mtx.gz} as Matrix Market pattern files. A file appears whole or not at
 * all.
 */
public final class MatrixWriter {
  /** A file format. */
  public enum Format {
    /** int32 little-endian: rows, cols, nnz, row pointers, columns. */
    CSR(".csr"),
    /** Matrix Market. */
    MTX(".mtx"),
    /** Matrix Market, gzipped. */
    MTX_GZ(".mtx.gz");

    private final String suffix;

    Format(String suffix) {
      this.suffix = suffix;
    }

    /** How files of it end. */
    public String suffix() {
      return suffix;
    }

    /** The name on the command line: {@code csr}, {@code mtx}, {@code mtx.gz}. */
    public String id() {
      return suffix.substring(1);
    }

    /**
     * The format of a name.
     *
     * @throws InputException if there is none
     */
    public static Format parse(String id) {
      for (Format format : values()) {
        if (format.id().equals(id)) {
          return format;
        }
      }
      throw new InputException(
          "format " + InputException.quote(id) + ", expected csr, mtx or mtx.gz");
    }
  }

  private MatrixWriter() {}

  /**
   * Writes a pattern.
   *
   * @param comment what a Matrix Market file says about where it comes from; one line
   * @return its nonzeros
   * @throws InputException if it has too many nonzeros for the format
   * @throws autosparse.costmodel.checkpoint.FileWriteException if the file cannot be written
   */
  public static long write(MatrixRows pattern, Path file, Format format, String comment) {
    long nnz = pattern.nnz();
    if (format == Format.CSR && nnz > Integer.MAX_VALUE) {
      throw new InputException(
          file + ": " + nnz + " nonzeros, expected fewer than 2^31 in a .csr file; use .mtx");
    }
    AtomicFiles.write(
        file,
        out -> {
          try {
            switch (format) {
              case CSR -> csr(pattern, nnz, out);
              case MTX -> matrixMarket(pattern, nnz, comment, out);
              case MTX_GZ -> {
                // Not closed but finished: the file below is still to be forced to the device.
                BestGzip zipped = new BestGzip(out);
                matrixMarket(pattern, nnz, comment, zipped);
                zipped.finish();
              }
            }
          } catch (UncheckedIOException broken) {
            throw broken.getCause();
          }
        });
    return nnz;
  }

  /** Matrices are written once and fetched often. */
  private static final class BestGzip extends GZIPOutputStream {
    BestGzip(OutputStream out) throws IOException {
      super(out);
      def.setLevel(Deflater.BEST_COMPRESSION);
    }
  }

  private static void csr(MatrixRows pattern, long nnz, OutputStream out) throws IOException {
    OutputStream buffered = new BufferedOutputStream(out, 1 << 16);
    word(buffered, pattern.rows());
    word(buffered, pattern.cols());
    word(buffered, (int) nnz);
    word(buffered, 0);
    int[] end = {0};
    pattern.forEachRow(
        (row, columns, count) -> {
          end[0] += count;
          word(buffered, end[0]);
        });
    pattern.forEachRow(
        (row, columns, count) -> {
          for (int p = 0; p < count; p++) {
            word(buffered, columns[p]);
          }
        });
    buffered.flush();
  }

  private static void word(OutputStream out, int value) {
    try {
      out.write(value);
      out.write(value >> 8);
      out.write(value >> 16);
      out.write(value >> 24);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void matrixMarket(MatrixRows pattern, long nnz, String comment, OutputStream out)
      throws IOException {
    OutputStream buffered = new BufferedOutputStream(out, 1 << 16);
    text(buffered, "%%MatrixMarket matrix coordinate pattern general\n% " + comment + "\n");
    text(buffered, pattern.rows() + " " + pattern.cols() + " " + nnz + "\n");
    pattern.forEachRow(
        (row, columns, count) -> {
          for (int p = 0; p < count; p++) {
            text(buffered, (row + 1) + " " + (columns[p] + 1) + "\n");
          }
        });
    buffered.flush();
  }

  private static void text(OutputStream out, String text) {
    try {
      out.write(text.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
