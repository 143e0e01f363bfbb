package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sizes that are counted, against what the virtual machine says that it allocated. */
class HeapSizeTest {
  private static final int COUNT = 1000;

  @TempDir Path folder;

  /** What a thousand of them take, their array included. */
  private static long allocated(Supplier<Object> maker) {
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) { // the first also loads classes
      Object[] all = new Object[COUNT];
      long before = thread.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < COUNT; i++) {
        all[i] = maker.get();
      }
      least = Math.min(least, thread.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  private static void assertNear(long expected, long measured, long most) {
    assertTrue(Math.abs(measured - expected) <= most, measured + ", expected about " + expected);
  }

  private record Sample(Object a, Object b, Object c, int d, long e) {}

  @Test
  void sizesAreThoseOfTheVirtualMachine() {
    assertNear(COUNT * HeapSize.array(7, 4), allocated(() -> new int[7]), 512);
    assertNear(COUNT * HeapSize.array(0, 8), allocated(() -> new long[0]), 512);
    assertNear(COUNT * HeapSize.references(5), allocated(() -> new Object[5]), 512);
    assertNear(
        COUNT * HeapSize.object(3, 12), allocated(() -> new Sample("", "", "", 1, 2)), 512);
  }

  @Test
  void aPatternTakesWhatItsSizeSaid() {
    long[] pointers = new long[101];
    int[] columns = new int[300];
    for (int row = 0; row < 100; row++) {
      pointers[row + 1] = 3L * (row + 1);
      for (int i = 0; i < 3; i++) {
        columns[3 * row + i] = row + i;
      }
    }
    SparsityPattern pattern = SparsityPattern.of("p", 100, 102, pointers, columns);
    assertNear(
        COUNT * MatrixPattern.bytes(pattern.rows(), pattern.nnz()),
        allocated(() -> new Object[] {pattern.rowPointers(), pattern.columns()})
            - COUNT * HeapSize.references(2),
        512);
  }

  private MatrixSize size(String name, String text) throws IOException {
    return MatrixReader.size(Files.writeString(folder.resolve(name), text));
  }

  @Test
  void sizesAreKnownFromTheHeaderAlone() throws IOException {
    String banner = "%%MatrixMarket matrix coordinate pattern ";
    MatrixSize general = size("a.mtx", banner + "general\n% c\n5 4 2\n1 1\n5 4\n");
    assertEquals(new MatrixSize(5, 4, 2, HeapSize.array(2, 8)), general);
    assertEquals(MatrixPattern.bytes(5, 2), general.patternBytes());
    assertEquals(2, MatrixReader.read(folder.resolve("a.mtx")).nnz());
    assertEquals(4, size("s.mtx", banner + "symmetric\n4 4 2\n2 1\n3 3\n").mostNonzeros());
    // Its size line claims more than a file of so few bytes can hold.
    long most = size("l.mtx", banner + "general\n99999 99999 2147483631\n1 1\n").mostNonzeros();
    assertTrue(most < 100, "" + most);
    ByteBuffer csr = ByteBuffer.allocate(28).order(ByteOrder.LITTLE_ENDIAN);
    csr.putInt(2).putInt(9).putInt(1).putInt(0).putInt(0).putInt(1).putInt(8);
    Path file = Files.write(folder.resolve("b.csr"), csr.array());
    assertEquals(new MatrixSize(2, 9, 1, 0), MatrixReader.size(file));
    assertTrue(
        assertThrows(InputException.class, () -> MatrixReader.size(folder.resolve("x.txt")))
            .getMessage()
            .contains("unknown kind of matrix file"));
  }

  @Test
  void aTaskTakesWhatItSays() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int chunk = 1; chunk <= 20_000; chunk++) {
      lines
          .append("0 1 A 2 i k A 2 i 0 k 1 0 0 i None None 0 4 ")
          .append(chunk)
          .append(" 1.5\n");
    }
    Path records = Files.createDirectories(folder.resolve("records/spmm"));
    Files.writeString(records.resolve("m.txt"), lines);
    Runtime runtime = Runtime.getRuntime();
    System.gc();
    long before = runtime.totalMemory() - runtime.freeMemory();
    Task task = Dataset.load(folder.resolve("records"), java.util.List.of(Op.SPMM)).tasks().get(0);
    System.gc();
    long measured = runtime.totalMemory() - runtime.freeMemory() - before;
    assertEquals(20_000, task.size());
    assertNear(task.hostBytes(), measured, task.hostBytes() / 4);
  }
}
