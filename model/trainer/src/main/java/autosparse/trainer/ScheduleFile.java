package autosparse.trainer;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import autosparse.schedule.Legality;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleParser;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.WacoSchedule;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of schedules, one a line, in AutoSparse's encoding or in WACO's grammar; latencies behind
 * them are passed over, so are blank lines.
 *
 * @param waco whether its lines are in WACO's grammar; the first decides
 * @param schedules in the file's order, at least one
 */
record ScheduleFile(Op op, boolean waco, List<Schedule> schedules) {

  /**
   * Reads a file of schedules of one operator.
   *
   * @throws InputException naming file and line, if a line is no schedule that can be ranked or
   *     there is none
   */
  static ScheduleFile read(Path file, Op op) {
    List<String> text;
    try {
      text = Files.readAllLines(file);
    } catch (MalformedInputException e) {
      throw new InputException("--schedules: " + file + ": not text in UTF-8", e);
    } catch (IOException e) {
      throw new InputException(
          "--schedules: cannot read " + file + ": " + FileWriteException.reason(e), e);
    }
    String first =
        text.stream()
            .filter(line -> !line.isBlank())
            .findFirst()
            .orElseThrow(() -> new InputException(file + ": no schedule, expected one a line"));
    boolean waco = isWaco(first);
    ScheduleParser parser = new ScheduleParser();
    List<Schedule> schedules = new ArrayList<>();
    for (int n = 0; n < text.size(); n++) {
      String line = text.get(n);
      if (!line.isBlank()) {
        SourceLocation source = SourceLocation.of(file, n + 1L);
        schedules.add(waco ? ofWaco(op, line, source) : ofAutoSparse(parser, op, line, source));
      }
    }
    return new ScheduleFile(op, waco, List.copyOf(schedules));
  }

  /** WACO's line begins with inner sizes; AutoSparse's second word is an axis, or A follows. */
  private static boolean isWaco(String line) {
    String[] words = line.strip().split(" +", 4);
    return words.length > 2
        && words[0].matches("\\d+")
        && words[1].matches("\\d+")
        && !words[2].equals("A");
  }

  /** Like a record, it passes whatever format it states: WACO's compiler takes them all. */
  private static Schedule ofWaco(Op op, String line, SourceLocation source) {
    Schedule schedule =
        line.contains("=")
            ? WacoSchedule.parseMeasured(op, line, source).schedule()
            : WacoSchedule.parse(op, line, source);
    Legality.requireAxes(schedule, op, source);
    return schedule;
  }

  private static Schedule ofAutoSparse(
      ScheduleParser parser, Op op, String line, SourceLocation source) {
    Schedule schedule = parser.parseLine(line, source).schedule();
    Legality.require(schedule, op, source);
    return schedule;
  }

  /** The operator on a matrix, with the dense axis that schedules of this grammar are about. */
  Problem problem(MatrixPattern pattern) {
    Problem problem = Problem.of(op, pattern);
    return waco ? problem.withDenseSize(op.wacoDenseSize()) : problem;
  }

  /** The schedules as a model is to see them. */
  List<Schedule> encodable(Problem problem) {
    return waco
        ? schedules
        : schedules.stream().map(schedule -> schedule.withPublishedOuterSizes(problem)).toList();
  }

  /** A schedule as the file has it, without a latency. */
  String line(int index) {
    Schedule schedule = schedules.get(index);
    return waco ? WacoSchedule.encode(op, schedule) : schedule.encode();
  }
}
