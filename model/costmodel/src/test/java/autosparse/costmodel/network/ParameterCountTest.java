package autosparse.costmodel.network;

import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.engine.HostDevice;
import autosparse.schedule.Op;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The published networks have the published numbers of parameters. */
class ParameterCountTest {
  /** What stands in front of a parameter's name: {@code tower}, {@code encoder}. */
  private static Map<String, Long> parts(ModelKind kind, Op op, int channels) {
    Map<String, Long> parts = new TreeMap<>();
    try (HostDevice device = HostDevice.cpu(HostDevice.Options.defaults().withThreads(1));
        CostModel model =
            CostModels.create(
                ModelConfig.published(kind, op, channels),
                ModelStatistics.none(),
                device.root(),
                1)) {
      model
          .parameters()
          .byName()
          .forEach(
              (name, parameter) ->
                  parts.merge(
                      name.substring(0, name.indexOf('.')),
                      parameter.value().elements(),
                      Long::sum));
      assertEquals(
          model.parameters().count(), parts.values().stream().mapToLong(Long::longValue).sum());
    }
    return parts;
  }

  private static Map<String, Long> withHead(long tower, long pattern) {
    return Map.of(
        "tower", tower,
        "pattern", pattern,
        "encoder", 394_496L,
        "attention", 263_168L,
        "residual", 1_051_136L,
        "decoder", 41_217L);
  }

  private static long sum(Map<String, Long> parts) {
    return parts.values().stream().mapToLong(Long::longValue).sum();
  }

  @Test
  void autoSparse() {
    Map<String, Long> parts = parts(ModelKind.AUTOSPARSE, Op.SPMM, 128);
    assertEquals(withHead(777_344, 617_589), parts);
    assertEquals(3_144_950, sum(parts));
  }

  @Test
  void autoSparseLast() {
    // 128 -> 512 -> 117 instead of 1088 -> 512 -> 117.
    long pattern = (128 * 512 + 512) + (512 * 117 + 117);
    Map<String, Long> parts = parts(ModelKind.AUTOSPARSE_LAST, Op.SPMM, 128);
    assertEquals(withHead(777_344, pattern), parts);
    assertEquals(2_653_430, sum(parts));
  }

  @Test
  void wacoWide() {
    long tower = 25 * 128 + 13 * (9 * 128 * 128);
    long pattern = (14 * 128 * 256 + 256) + (256 * 117 + 117);
    Map<String, Long> parts = parts(ModelKind.WACO_WIDE, Op.SPMM, 128);
    assertEquals(withHead(tower, pattern), parts);
    assertEquals(4_159_222, sum(parts));
  }

  @ParameterizedTest
  @CsvSource({"SPMV, 371777", "SPMM, 376769", "SDDMM, 380961"})
  void waco(Op op, long expected) {
    Map<String, Long> parts = parts(ModelKind.WACO, op, 32);
    assertEquals(expected, sum(parts));
    assertEquals(800 + 13 * 9_216, parts.get("tower"));
    assertEquals(2_336, parts.get("shape"));
    assertEquals(156_032, parts.get("matrix"));
  }
}
