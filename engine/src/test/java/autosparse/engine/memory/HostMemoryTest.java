package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reserves 3 GiB, of which the operating system commits the few pages that are touched. */
class HostMemoryTest {
  private static final long CAPACITY = 3L << 30;

  @ParameterizedTest(name = "from byte {0}")
  @ValueSource(
      longs = {
        0,
        HostMemory.WINDOW_STEP - 16,
        (1L << 31) - 16,
        (1L << 31) + 8,
        2 * HostMemory.WINDOW_STEP - 8,
        CAPACITY - 32
      })
  void readsBackWhatWasWritten(long offset) {
    try (HostMemory memory = new HostMemory(CAPACITY)) {
      memory.write(offset, new float[] {9, 1.5f, -2f, 3f, 9}, 1, 3);
      float[] floats = new float[3];
      memory.read(offset, floats, 0, 3);
      assertArrayEquals(new float[] {1.5f, -2f, 3f}, floats);
      assertEquals(-2f, memory.floatPointer(offset).get(1));

      memory.write(offset, new double[] {0.1, 0.2, 0.3}, 0, 3);
      double[] doubles = new double[4];
      memory.read(offset, doubles, 1, 3);
      assertArrayEquals(new double[] {0, 0.1, 0.2, 0.3}, doubles);

      memory.write(offset, new int[] {7, -8}, 0, 2);
      int[] ints = new int[2];
      memory.read(offset, ints, 0, 2);
      assertArrayEquals(new int[] {7, -8}, ints);

      memory.write(offset, new long[] {1L << 40, -1}, 0, 2);
      long[] longs = new long[2];
      memory.read(offset, longs, 0, 2);
      assertArrayEquals(new long[] {1L << 40, -1}, longs);

      memory.write(offset + 2, new short[] {0, 17, -1}, 1, 2);
      short[] shorts = new short[2];
      memory.read(offset + 2, shorts, 0, 2);
      assertArrayEquals(new short[] {17, -1}, shorts);
    }
  }

  @Test
  void windowsOverlapSoThatALargeAccessLiesInOne() {
    try (HostMemory memory = new HostMemory(CAPACITY)) {
      long offset = (1L << 31) - 4;
      memory.write(offset + HostMemory.WINDOW_STEP - 4, new float[] {5f}, 0, 1);
      assertEquals(
          5f,
          memory
              .floats(offset)
              .get(HostMemory.index4(offset) + (int) (HostMemory.WINDOW_STEP / 4) - 1));
    }
  }

  @Test
  void nothingAtTheEndOfTheRangeIsLegal() {
    try (HostMemory memory = new HostMemory(HostMemory.WINDOW_STEP)) {
      memory.read(HostMemory.WINDOW_STEP, new float[0], 0, 0);
      memory.write(HostMemory.WINDOW_STEP, new long[0], 0, 0);
    }
  }

  @Test
  void refusedReservationSaysHowManyBytes() {
    long tooMuch = 1L << 60;
    String message =
        assertThrows(RuntimeException.class, () -> new HostMemory(tooMuch)).getMessage();
    assertEquals(
        "the operating system refuses to reserve "
            + tooMuch
            + " bytes of host memory (lower --memory-budget)",
        message);
  }
}
