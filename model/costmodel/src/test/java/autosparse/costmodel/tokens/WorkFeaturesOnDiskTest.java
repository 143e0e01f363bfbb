package autosparse.costmodel.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.costmodel.SharedData;
import autosparse.schedule.CsrFile;
import autosparse.schedule.Dataset;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.PatternCounts;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Work features of matrices that stay on disk are, bit for bit, those of matrices in memory. */
class WorkFeaturesOnDiskTest {
  private static final int PER_TASK = 60;
  private static final long RANGE = 1 << 16;

  /** Some schedules of every task of the published records, of each matrix. */
  private static List<Schedule> published(Op op) {
    List<Schedule> schedules = new ArrayList<>();
    for (Task task : Dataset.load(SharedData.require("records"), List.of(op)).tasks()) {
      for (int s = 0; s < task.size(); s += Math.max(1, task.size() / PER_TASK)) {
        schedules.add(task.schedule(s));
      }
    }
    return schedules;
  }

  @Test
  void ofPublishedSchedulesAndMatrices() throws IOException {
    List<Path> files;
    try (var all = Files.list(SharedData.require("matrices"))) {
      files = all.sorted().toList();
    }
    assertEquals(10, files.size());
    for (Op op : List.of(Op.SPMM, Op.SPMV, Op.SDDMM)) {
      List<Schedule> schedules = published(op);
      for (Path file : files) {
        SparsityPattern held = MatrixReader.read(file);
        Problem problem = Problem.of(op, held);
        try (CsrFile csr = CsrFile.open(file, RANGE)) {
          PatternCounts onDisk = csr.counts();
          ScheduleWork.countAll(onDisk, problem, schedules);
          for (Schedule schedule : schedules) {
            ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
            assertArrayEquals(
                WorkFeatures.of(geometry, held.counts()),
                WorkFeatures.of(geometry, onDisk),
                () -> file + ": " + schedule.encode());
          }
        }
      }
    }
  }
}
