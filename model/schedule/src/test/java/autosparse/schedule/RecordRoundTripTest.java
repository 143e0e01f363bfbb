package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Every published line, read and printed back. */
class RecordRoundTripTest {
  private static final int PUBLISHED_LINES = 146_484;

  @Test
  void autoSparseRecordsComeBackByteForByteAndAreLegal() throws IOException {
    Path records = SharedData.require("records");
    MatrixFolder matrices = MatrixFolder.open(SharedData.require("matrices"));
    long[] lines = {0};
    for (Op op : Op.values()) {
      for (RecordFile file : RecordFolder.open(records).files(op)) {
        Problem problem = Problem.of(op, matrices.read(file.matrix(), file.path()));
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        new RecordReader()
            .forEach(
                file,
                (record, source) -> {
                  lines[0]++;
                  printed.writeBytes((record.encode() + "\n").getBytes(StandardCharsets.US_ASCII));
                  assertEquals(
                      List.of(), Legality.check(record.schedule(), problem), source::toString);
                });
        assertArrayEquals(unzipped(file.path()), printed.toByteArray(), file.path().toString());
      }
    }
    assertEquals(PUBLISHED_LINES, lines[0]);
  }

  @Test
  void publishedOuterSizesAndStorageOrdersFollowTheReference() {
    Path records = SharedData.require("records");
    MatrixFolder matrices = MatrixFolder.open(SharedData.require("matrices"));
    for (RecordFile file : RecordFolder.open(records).files(Op.SDDMM)) {
      Problem problem = Problem.of(Op.SDDMM, matrices.read(file.matrix(), file.path()));
      new RecordReader()
          .forEach(
              file,
              (record, source) ->
                  assertEquals(
                      record.schedule(),
                      record.schedule().withPublishedOuterSizes(problem),
                      source::toString));
    }
  }

  @Test
  void wacoRecordsComeBackByteForByte() throws IOException {
    Path collected = SharedData.require("waco/collected");
    for (Op op : Op.values()) {
      for (RecordFile file : RecordFolder.open(collected).files(op)) {
        assertEquals(RecordFile.Format.WACO, file.format());
        StringBuilder printed = new StringBuilder();
        new RecordReader()
            .forEach(
                file,
                (record, source) -> printed.append(WacoSchedule.encode(op, record)).append('\n'));
        String expected = Files.readString(file.path());
        assertEquals(expected, printed.toString(), file.path().toString());
      }
    }
  }

  private static byte[] unzipped(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return in.readAllBytes();
    }
  }
}
