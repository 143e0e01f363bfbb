package autosparse.trainer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardEventsTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.ofEpochMilli(1_700_000_000_500L));

  @TempDir Path folder;

  /** CRC-32C by its definition, bit by bit, and TFRecord's mask. */
  private static int maskedChecksum(byte[] bytes) {
    int crc = -1;
    for (byte b : bytes) {
      crc ^= b & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
      }
    }
    crc = ~crc;
    return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  }

  private static List<ByteBuffer> messages(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<ByteBuffer> messages = new ArrayList<>();
    while (in.hasRemaining()) {
      byte[] length = new byte[8];
      in.get(length);
      assertEquals(maskedChecksum(length), in.getInt());
      byte[] message =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      in.get(message);
      assertEquals(maskedChecksum(message), in.getInt());
      messages.add(ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN));
    }
    return messages;
  }

  private static void expectWallTime(ByteBuffer event) {
    assertEquals((1 << 3) | 1, event.get(), "field 1, 64 bits");
    assertEquals(1_700_000_000.5, event.getDouble());
  }

  private static String text(ByteBuffer event) {
    byte[] bytes = new byte[event.get()];
    event.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void bytesAreTensorFlows() throws IOException {
    Path file;
    try (TensorBoardEvents events = TensorBoardEvents.start(folder, 0, CLOCK)) {
      events.scalar(5, "train/loss", 0.25);
      file = events.file();
    }
    List<ByteBuffer> messages = messages(file);
    assertEquals(2, messages.size());
    ByteBuffer version = messages.get(0);
    expectWallTime(version);
    assertEquals((3 << 3) | 2, version.get());
    assertEquals("brain.Event:2", text(version));
    ByteBuffer scalar = messages.get(1);
    expectWallTime(scalar);
    assertEquals(2 << 3, scalar.get());
    assertEquals(5, scalar.get());
    assertEquals((5 << 3) | 2, scalar.get());
    assertEquals(scalar.get(), scalar.remaining());
    assertEquals((1 << 3) | 2, scalar.get());
    assertEquals(scalar.get(), scalar.remaining());
    assertEquals((1 << 3) | 2, scalar.get());
    assertEquals("train/loss", text(scalar));
    assertEquals((2 << 3) | 5, scalar.get());
    assertEquals(0.25f, scalar.getFloat());
    assertEquals(0, scalar.remaining());
  }

  @Test
  void aResumedRunStartsAFileThatDropsLaterSteps() throws IOException {
    Path first;
    try (TensorBoardEvents events = TensorBoardEvents.start(folder, 0, CLOCK)) {
      first = events.file();
    }
    try (TensorBoardEvents events = TensorBoardEvents.start(folder, 7, CLOCK)) {
      assertNotEquals(first, events.file());
      assertTrue(first.compareTo(events.file()) < 0, "readers take files in order of name");
      ByteBuffer restart = messages(events.file()).get(1);
      expectWallTime(restart);
      assertEquals(2 << 3, restart.get());
      assertEquals(8, restart.get());
      assertEquals((7 << 3) | 2, restart.get());
      assertEquals(2, restart.get());
      assertEquals(1 << 3, restart.get());
      assertEquals(1, restart.get(), "START");
    }
  }
}
