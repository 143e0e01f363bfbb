package autosparse.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.memory.MemoryTag;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BFloat16Test {
  /** Exact values, halves of a unit (to the even neighbour), beside them, and the ends. */
  @ParameterizedTest
  @CsvSource({
    "0x1p0, 0x1p0",
    "-0x1.02p3, -0x1.02p3",
    "0x1.01p0, 0x1p0",
    "0x1.03p0, 0x1.04p0",
    "0x1.010002p0, 0x1.02p0",
    "0x1.00fffep0, 0x1p0",
    "-0x1.03p-20, -0x1.04p-20",
    "0x1.fep127, 0x1.fep127",
    "0x1.fefffep127, 0x1.fep127",
    "0x1.ffp127, Infinity",
    "-Infinity, -Infinity",
    "-0.0, -0.0",
    "0x1p-133, 0x1p-133",
    "0x1p-134, 0.0",
    "NaN, NaN",
  })
  void roundsToTheNearest(float value, float rounded) {
    assertEquals(Float.floatToIntBits(rounded), Float.floatToIntBits(BFloat16.round(value)));
  }

  @Test
  void anyNanStaysNan() {
    assertTrue(Float.isNaN(BFloat16.round(Float.intBitsToFloat(0x7f800001))));
    assertTrue(Float.isNaN(BFloat16.round(Float.intBitsToFloat(0xffffffff))));
  }

  @Test
  void errsByHalfAUnitAtMost() {
    Random random = new Random(1);
    for (int i = 0; i < 100_000; i++) {
      float value = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(60) - 30));
      double error = Math.abs((double) BFloat16.round(value) - value);
      assertTrue(error <= BFloat16.EPSILON / 2 * Math.abs(value), () -> String.valueOf(value));
      assertEquals(BFloat16.round(value), BFloat16.round(BFloat16.round(value)));
    }
  }

  @Test
  void tensorsRoundWhatIsWrittenAndHostOperatorsRefuseThem() {
    try (HostDevice device = HostDevice.cpu(new HostDevice.Options(1 << 20, 1, false))) {
      Tensor x = device.root().create("x", DType.BF16, MemoryTag.ACTIVATION, 2, 2);
      assertEquals(8, x.bytes());
      x.setDoubles(new double[] {1, 1 + 0x1p-8, 1 + 3 * 0x1p-8, -1e-3});
      double[] rounded = {1, 1, 1 + 0x1p-6, BFloat16.round(-1e-3f)};
      assertArrayEquals(rounded, x.toDoubles());
      x.write(1, new float[] {9, 257}, 1, 1);
      float[] back = new float[3];
      x.read(1, back, 1, 2);
      assertArrayEquals(new float[] {0, 256, (float) rounded[2]}, back);
      assertArrayEquals(
          new float[] {(float) rounded[2], (float) rounded[3]}, x.rows(1, 2).toFloats());
      assertThrows(IllegalArgumentException.class, () -> x.read(0, new double[1], 0, 1));
      assertEquals(
          "fill: y is x BF16[2, 2]: expected F32",
          assertThrows(
                  IllegalArgumentException.class, () -> device.operators().elementwise().fill(x, 0))
              .getMessage());
      assertEquals(
          "cast: y is x BF16[2, 2]: expected F32",
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      device
                          .operators()
                          .elementwise()
                          .cast(device.root().real("f", MemoryTag.ACTIVATION, 2, 2), x))
              .getMessage());
    }
  }
}
