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
     * Called for each line in turn that has a latency. Of a line with several runs' times it is
     * their median: runs in a row share whatever disturbs them, so that together they are one
     * measurement.
     *
     * @param record the schedule and its latency
     * @param source the line's place
     */
    void visit(MeasuredSchedule record, SourceLocation source);

    /**
     * Called for each line of a schedule that was tried and has no latency.
     *
     * @param schedule the schedule
     * @param source the line's place
     */
    default void failed(Schedule schedule, SourceLocation source) {}
  }

  private final ScheduleParser parser = new ScheduleParser();
  private final MeasurementFormat measurements = new MeasurementFormat(parser);

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
        switch (file.format()) {
          case AUTOSPARSE -> visit(parser.parseMeasured(line, source), file, visitor, source);
          case WACO ->
              visit(WacoSchedule.parseMeasured(file.op(), line, source), file, visitor, source);
          case COLLECTED -> visit(measurements.parse(line, source), file, visitor, source);
        }
      }
    }
  }

  private static void visit(
      MeasuredSchedule record, RecordFile file, Visitor visitor, SourceLocation source) {
    Legality.requireAxes(record.schedule(), file.op(), source);
    visitor.visit(record, source);
  }

  private static void visit(
      Measurement measurement, RecordFile file, Visitor visitor, SourceLocation source) {
    if (measurement.op() != file.op() || !measurement.matrix().equals(file.matrix())) {
      throw InputException.at(
          source,
          "a record of "
              + InputException.quote(measurement.op().id() + "/" + measurement.matrix())
              + ", expected "
              + file.op().id()
              + "/"
              + file.matrix()
              + " as the file is named");
    }
    Legality.requireAxes(measurement.schedule(), file.op(), source);
    if (measurement.isTimed()) {
      visitor.visit(MeasuredSchedule.of(measurement.schedule(), measurement.medianMs()), source);
    } else {
      visitor.failed(measurement.schedule(), source);
    }
  }
}
