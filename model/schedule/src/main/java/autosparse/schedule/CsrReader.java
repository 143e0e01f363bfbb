package autosparse.schedule;

import java.nio.file.Path;

/** Reads a {@code .csr} file at once, see {@link CsrFile}. */
final class CsrReader {
  private CsrReader() {}

  static SparsityPattern read(Path file, String name) {
    try (CsrFile csr = CsrFile.open(file)) {
      MemoryGuard.require(
          8L * (csr.rows() + 1L) + 4L * csr.nnz(), "the matrix", SourceLocation.of(file));
      CsrFile.Rows all = csr.read(0, csr.rows());
      return SparsityPattern.wrap(name, csr.rows(), csr.cols(), all.rowPointers(), all.columns());
    }
  }
}
