package autosparse.costmodel.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SharedData;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.RecordFile;
import autosparse.schedule.RecordFolder;
import autosparse.schedule.RecordReader;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.WacoFeatures;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WacoProjectionTest {
  @ParameterizedTest
  @EnumSource(Op.class)
  void publishedLinesProjectToPublishedInputs(Op op) {
    RecordFolder folder = RecordFolder.open(SharedData.require("waco/collected"));
    WacoProjection projection = new WacoProjection(op);
    Problem problem = Problem.of(op, 100_000, 100_000, 1_000_000).withDenseSize(256);
    AtomicInteger lines = new AtomicInteger();
    RecordReader reader = new RecordReader();
    for (RecordFile file : folder.files(op)) {
      reader.forEach(
          file,
          (record, source) -> {
            check(op, projection.project(record.schedule(), problem), record.schedule(), source);
            lines.incrementAndGet();
          });
    }
    assertTrue(lines.get() > 100, lines + " lines");
  }

  private static void check(
      Op op, WacoProjection.Projected projected, Schedule schedule, SourceLocation source) {
    float[] features = WacoFeatures.of(op, schedule);
    int splits = WacoFeatures.orderOffset(op);
    int formats = WacoFeatures.formatOffset(op);
    int parallel = WacoFeatures.parallelOffset(op);
    assertArrayEquals(
        Arrays.copyOfRange(features, splits, formats), projected.order(), source + ": order");
    int[] categories = projected.categories();
    for (int c = 0; c < splits; c++) {
      assertEquals(features[c], categories[c], source + ": split " + c);
    }
    for (int f = 0; f < 4; f++) {
      assertEquals(features[formats + f], categories[splits + f], source + ": format " + f);
    }
    if (op == Op.SDDMM) {
      assertEquals(features[parallel], categories[splits + 4], source + ": parallel loop");
    }
    assertEquals(features[parallel + 2], categories[categories.length - 1], source + ": chunk");
  }

  @Test
  void anUnsplitAxisIsAnOuterLoopAroundAnInnerOne() {
    WacoProjection projection = new WacoProjection(Op.SPMM);
    Problem problem = Problem.of(Op.SPMM, 100, 60, 500);
    WacoProjection.Projected projected =
        projection.project(Schedule.noOp(Op.SPMM, 48, 1 << 20), problem);
    float[] identity = new float[36];
    for (int v = 0; v < 6; v++) {
      identity[v * 6 + v] = 1;
    }
    assertArrayEquals(identity, projected.order());
    // Rows dense, columns compressed; the chunk is clipped to the last category.
    assertArrayEquals(new int[] {0, 0, 0, 1, 1, 0, 0, 8}, projected.categories());
    assertEquals(List.of(17, 17, 8, 2, 2, 2, 2, 9), projection.categorySizes());
  }
}
