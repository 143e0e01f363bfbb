package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The factors at the ends and in between. */
final class RateScheduleTest {
  @Test
  void linearFallsToItsFloor() {
    assertEquals(1, RateSchedule.LINEAR.factor(0));
    assertEquals(0.75, RateSchedule.LINEAR.factor(0.25));
    assertEquals(0.02, RateSchedule.LINEAR.factor(0.99));
    assertEquals(0.02, RateSchedule.LINEAR.factor(1));
  }

  @Test
  void cosineWarmsUpAndFalls() {
    assertEquals(0.01, RateSchedule.COSINE.factor(0));
    assertEquals(0.5, RateSchedule.COSINE.factor(0.025), 1e-15);
    assertEquals(1, RateSchedule.COSINE.factor(0.05), 1e-15);
    assertEquals(0.505, RateSchedule.COSINE.factor(0.525), 1e-12);
    assertEquals(0.01, RateSchedule.COSINE.factor(1), 1e-15);
    double last = 1;
    for (double progress = 0.06; progress < 1; progress += 0.01) {
      double factor = RateSchedule.COSINE.factor(progress);
      assertTrue(factor < last, "at " + progress);
      last = factor;
    }
  }

  @ParameterizedTest
  @EnumSource(RateSchedule.class)
  void staysBetweenZeroAndOne(RateSchedule schedule) {
    for (int i = 0; i <= 1000; i++) {
      double factor = schedule.factor(i / 1000.0);
      assertTrue(factor > 0 && factor <= 1, schedule + " at " + i);
    }
    assertEquals(schedule.factor(1), schedule.factor(1.5), "after the end");
  }
}
