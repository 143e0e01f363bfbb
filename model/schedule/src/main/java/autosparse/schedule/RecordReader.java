package autosparse.schedule;

/**
 * Reads record files line by line. To add a grammar, add a {@link RecordFile.Format} and a case
 * here.
 */
public final class RecordReader {
  /** Takes one record. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Called for each line in turn.
     *
     * @param record the schedule and its latency
     * @param source the line's place
     */
    void visit(MeasuredSchedule record, SourceLocation source);
  }

  private final ScheduleParser parser = new ScheduleParser();

  /** Makes a reader; one reader shares equal parts of the schedules of all the files it reads. */
  public RecordReader() {}

  /**
   * Visits every record of a file. Each must speak of the operator's axes; whether it is legal
   * otherwise is not asked, as it has been measured.
   *
   * @throws InputException naming file, line, field, value and what was expected
   */
  public void forEach(RecordFile file, Visitor visitor) {
    try (LineReader lines = LineReader.open(file.path())) {
      String line;
      while ((line = lines.next()) != null) {
        SourceLocation source = lines.source();
        MeasuredSchedule record =
            switch (file.format()) {
              case AUTOSPARSE -> parser.parseMeasured(line, source);
              case WACO -> WacoSchedule.parseMeasured(file.op(), line, source);
            };
        Legality.requireAxes(record.schedule(), file.op(), source);
        visitor.visit(record, source);
      }
    }
  }
}
