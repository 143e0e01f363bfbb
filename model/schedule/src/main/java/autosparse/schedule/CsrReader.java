package autosparse.schedule;

import java.nio.file.Path;

/** Reads a {@code .csr} file at once, see {@link CsrFile}. */
final class CsrReader {
  private CsrReader() {}

  static MatrixSize size(Path file) {
    try (CsrFile csr = CsrFile.open(file)) {
      return new MatrixSize(csr.rows(), csr.cols(), csr.nnz(), 0);
    }
  }

  static SparsityPattern read(Path file, String name) {
    try (CsrFile csr = CsrFile.open(file)) {
      MemoryGuard.require(
          SparsityPattern.hostBytes(csr.rows(), csr.nnz()), "the matrix", SourceLocation.of(file));
      CsrFile.Rows all = csr.read(0, csr.rows());
      return SparsityPattern.wrap(name, csr.rows(), csr.cols(), all.rowPointers(), all.columns());
    }
  }
}
