package autosparse.trainer;

import autosparse.schedule.InputException;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleParser;
import autosparse.schedule.SourceLocation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file of schedules, one a line; latencies behind them are passed over, so are blank lines. */
final class ScheduleFile {
  /** A schedule and where it stands. */
  record Line(Schedule schedule, SourceLocation source) {}

  private ScheduleFile() {}

  /**
   * Reads a file.
   *
   * @throws InputException naming file and line, if a line is no schedule or there is none
   */
  static List<Line> read(Path file) {
    List<String> text;
    try {
      text = Files.readAllLines(file);
    } catch (IOException e) {
      throw new InputException("--schedules: cannot read " + file + ": " + e.getMessage(), e);
    }
    ScheduleParser parser = new ScheduleParser();
    List<Line> lines = new ArrayList<>();
    for (int n = 0; n < text.size(); n++) {
      if (!text.get(n).isBlank()) {
        SourceLocation source = SourceLocation.of(file, n + 1L);
        lines.add(new Line(parser.parseLine(text.get(n), source).schedule(), source));
      }
    }
    if (lines.isEmpty()) {
      throw new InputException(file + ": no schedule, expected one a line");
    }
    return lines;
  }
}
