package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A mangled line is either read and printed back exactly, or refused as bad input; nothing else.
 */
class ScheduleFuzzTest {
  private static final long SEED = 20261122;
  private static final int ROUNDS = 20_000;
  private static final String ALPHABET = " 0123456789ijklADNone.e-+=\t\u00e9\u0000";

  @Test
  void autoSparseLines() {
    List<String> lines =
        List.of(
            ScheduleTest.SPMM + " 445.855559",
            ScheduleTest.SPMV,
            ScheduleTest.SDDMM + " 0.25",
            ScheduleTest.NO_OP);
    Random random = new Random(SEED);
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String line = mutate(lines.get(random.nextInt(lines.size())), random);
      try {
        ScheduleParser.Line parsed = new ScheduleParser().parseLine(line, ScheduleTest.HERE);
        String printed =
            parsed.schedule().encode() + parsed.latency().map(ms -> " " + ms).orElse("");
        assertEquals(line, printed, "seed " + SEED + " round " + round);
        for (Op op : Op.values()) {
          exercise(parsed.schedule(), op);
        }
        read++;
      } catch (InputException refused) {
        checkOneLine(refused, round, line);
      } catch (RuntimeException other) {
        throw new AssertionError("seed " + SEED + " round " + round + ": " + line, other);
      }
    }
    assertEquals(true, read > ROUNDS / 100, "seed " + SEED + ": only " + read + " lines were read");
  }

  @Test
  void wacoLines() {
    List<String> lines =
        List.of(
            "1 32 32 k1 i1 j1 k0 i0 j0 1 1 1 0 i1 48 64 = 15.548",
            "64 256 1 i1 i0 j1 j0 k1 k0 0 1 0 0 i1 48 2 = 3.624",
            "2048 2 k1 k0 i1 i0 0 1 0 1 i1 48 4 = 10.071");
    Random random = new Random(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      String line = mutate(lines.get(random.nextInt(lines.size())), random);
      for (Op op : Op.values()) {
        try {
          MeasuredSchedule record = WacoSchedule.parseMeasured(op, line, ScheduleTest.HERE);
          assertEquals(line, WacoSchedule.encode(op, record), "seed " + SEED + " round " + round);
        } catch (InputException refused) {
          checkOneLine(refused, round, line);
        } catch (RuntimeException other) {
          throw new AssertionError("seed " + SEED + " round " + round + ": " + line, other);
        }
      }
    }
  }

  /** Whatever was read can be checked, hashed and, where it fits the operator, worked out. */
  private static void exercise(Schedule schedule, Op op) {
    Legality.check(schedule, op);
    schedule.canonicalHash();
    try {
      Legality.requireAxes(schedule, op, ScheduleTest.HERE);
    } catch (InputException another) {
      return; // A schedule of another operator.
    }
    ScheduleGeometry.of(schedule, Problem.of(op, 1000, 77, 5000));
  }

  private static void checkOneLine(InputException refused, int round, String line) {
    String message = refused.getMessage();
    assertEquals(
        true,
        message.startsWith("some.txt:7: ") && message.indexOf('\n') < 0,
        "seed " + SEED + " round " + round + ": " + line + " gave " + message);
  }

  private static String mutate(String line, Random random) {
    StringBuilder text = new StringBuilder(line);
    for (int edits = 1 + random.nextInt(3); edits > 0 && text.length() > 0; edits--) {
      int at = random.nextInt(text.length());
      char c = ALPHABET.charAt(random.nextInt(ALPHABET.length()));
      switch (random.nextInt(6)) {
        case 0 -> text.setCharAt(at, c);
        case 1 -> text.insert(at, c);
        case 2 -> text.deleteCharAt(at);
        case 3 -> text.setLength(at);
        default -> swapWords(text, random);
      }
    }
    return text.toString();
  }

  private static void swapWords(StringBuilder text, Random random) {
    String[] words = text.toString().split(" ", -1);
    int a = random.nextInt(words.length);
    int b = random.nextInt(words.length);
    String word = words[a];
    words[a] = words[b];
    if (random.nextBoolean()) {
      words[b] = word;
    }
    text.replace(0, text.length(), String.join(" ", words));
  }
}
