package autosparse.schedule;

import java.nio.file.Path;

/**
 * A file of measured schedules of one operator on one matrix.
 *
 * @param op the operator
 * @param matrix the matrix's name
 * @param path the file
 * @param format how its lines are written
 */
public record RecordFile(Op op, String matrix, Path path, Format format) {
  /** The grammar of a record file's lines. */
  public enum Format {
    /** {@code ENCODING LATENCY_MS}; files {@code <op>/<matrix>.txt.gz} or {@code .txt}. */
    AUTOSPARSE,
    /**
     * {@code SCHEDULE = MS} in WACO's grammar; files {@code <Op>/<matrix>.txt} or {@code .txt.gz}.
     */
    WACO,
    /**
     * A {@link Measurement} a line, as JSON; files {@code <op>/<matrix>.jsonl.gz} or {@code
     * .jsonl}.
     */
    COLLECTED
  }
}
