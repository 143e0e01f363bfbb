package autosparse.trainer.profile;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Writes maps, lists, strings, whole numbers and booleans in Python's pickle format, protocol 2,
 * with the few opcodes that PyTorch's memory viewer reads.
 */
final class Pickle {
  /** Lists are appended to in parts of this size, as Python's own pickler does. */
  private static final int BATCH = 1000;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private Pickle() {}

  static byte[] of(Object value) {
    Pickle pickle = new Pickle();
    pickle.out.write(0x80);
    pickle.out.write(2);
    pickle.write(value);
    pickle.out.write('.');
    return pickle.out.toByteArray();
  }

  private void write(Object value) {
    if (value instanceof Map<?, ?> map) {
      out.write('}');
      if (!map.isEmpty()) {
        out.write('(');
        map.forEach(
            (key, entry) -> {
              write(key);
              write(entry);
            });
        out.write('u');
      }
    } else if (value instanceof List<?> list) {
      out.write(']');
      for (int from = 0; from < list.size(); from += BATCH) {
        out.write('(');
        list.subList(from, Math.min(list.size(), from + BATCH)).forEach(this::write);
        out.write('e');
      }
    } else if (value instanceof String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      out.write('X');
      little(bytes.length, Integer.BYTES);
      out.writeBytes(bytes);
    } else if (value instanceof Boolean flag) {
      out.write(flag ? 0x88 : 0x89);
    } else if (value instanceof Number number) {
      whole(number.longValue());
    } else {
      throw new IllegalArgumentException("cannot pickle " + value);
    }
  }

  private void whole(long value) {
    if (value >= 0 && value < 1 << 8) {
      out.write('K');
      little(value, 1);
    } else if (value >= 0 && value < 1 << 16) {
      out.write('M');
      little(value, 2);
    } else if (value == (int) value) {
      out.write('J');
      little(value, Integer.BYTES);
    } else {
      out.write(0x8a);
      out.write(Long.BYTES);
      little(value, Long.BYTES);
    }
  }

  private void little(long value, int bytes) {
    for (int b = 0; b < bytes; b++) {
      out.write((int) (value >>> (8 * b)) & 0xff);
    }
  }
}
