package autosparse.trainer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  @Test
  void linesAreFewAndSayWhatIsLeft() {
    AtomicLong now = new AtomicLong();
    Progress progress =
        new LineProgress(out, "train", 100, 500, now::get, () -> LocalTime.of(9, 30));
    for (int step = 101; step <= 200; step++) {
      now.addAndGet(Duration.ofMillis(250).toNanos());
      progress.update(step, "loss " + step);
    }
    progress.message("epoch 1: top-1 0.5");
    progress.close();
    assertEquals(
        List.of(
            "09:30:00 train 101/500 (20 %), 0:00 elapsed, 1:39 left, loss 101",
            "09:30:00 train 141/500 (28 %), 0:10 elapsed, 1:29 left, loss 141",
            "09:30:00 train 181/500 (36 %), 0:20 elapsed, 1:19 left, loss 181",
            "09:30:00 epoch 1: top-1 0.5",
            "09:30:00 train 200/500 (40 %), 0:25 elapsed, 1:15 left, loss 200"),
        bytes.toString(StandardCharsets.UTF_8).lines().toList());
  }

  @Test
  void unknownTotalsHaveNoEnd() {
    try (Progress progress = Progress.start(out, false, "read", 0, 0)) {
      progress.update(7, "");
    }
    assertTrue(bytes.toString(StandardCharsets.UTF_8).contains(" read 7, 0:00 elapsed"));
  }

  @Test
  void hoursAreWrittenOut() {
    assertEquals("1:02:03", LineProgress.clock(Duration.ofSeconds(3723)));
  }
}
