package autosparse.costmodel.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SharedData;
import autosparse.costmodel.pytorch.PyTorchArchive.Pickle;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PyTorchFileTest {
  private static final float[] SIX = {1, -2, 3, 0.5f, Float.MIN_VALUE, 6};

  @TempDir Path folder;

  private Path file(byte[] bytes) throws IOException {
    return PyTorchArchive.write(folder, "weights.pth", bytes);
  }

  private static byte[] sample() throws IOException {
    Map<String, long[]> sizes = new LinkedHashMap<>();
    sizes.put("b.weight", new long[] {2, 3});
    sizes.put("a.bias", new long[] {1});
    return PyTorchArchive.stateDict(Map.of("b.weight", SIX, "a.bias", new float[] {7}), sizes);
  }

  private String refusal(byte[] bytes) throws IOException {
    Path path = file(bytes);
    String message =
        assertThrows(
                InputException.class,
                () -> {
                  try (PyTorchFile opened = PyTorchFile.open(path)) {
                    opened.tensors().keySet().forEach(opened::floats);
                  }
                })
            .getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.contains(path.toString()), message);
    return message;
  }

  private void assertRefused(byte[] bytes, String... parts) throws IOException {
    String message = refusal(bytes);
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "no '" + part + "' in " + message);
    }
  }

  @Test
  void tensorsComeBackInOrder() throws IOException {
    try (PyTorchFile opened = PyTorchFile.open(file(sample()))) {
      assertEquals(List.of("b.weight", "a.bias"), List.copyOf(opened.tensors().keySet()));
      assertArrayEquals(new long[] {2, 3}, opened.tensors().get("b.weight").shape());
      assertArrayEquals(SIX, opened.floats("b.weight"));
      assertArrayEquals(new float[] {7}, opened.floats("a.bias"));
    }
  }

  /** A transposed part of a storage, a scalar and a repeated element. */
  @Test
  void viewsAreGathered() throws IOException {
    Pickle pickle = new Pickle().orderedDict().op('(');
    pickle.text("t").tensor("FloatStorage", "0", 6, 1, new long[] {2, 2}, new long[] {1, 3});
    pickle.text("s").tensor("FloatStorage", "0", 6, 5, new long[0], new long[0]);
    pickle.text("r").tensor("FloatStorage", "0", 6, 2, new long[] {3}, new long[] {0});
    byte[] zip =
        PyTorchArchive.zip(
            pickle.op('u').end(),
            Map.of(
                "data/0",
                PyTorchArchive.bytes(SIX),
                "byteorder",
                "little".getBytes(StandardCharsets.US_ASCII)));
    try (PyTorchFile opened = PyTorchFile.open(file(zip))) {
      assertArrayEquals(new float[] {SIX[1], SIX[4], SIX[2], SIX[5]}, opened.floats("t"));
      assertArrayEquals(new float[] {SIX[5]}, opened.floats("s"));
      assertArrayEquals(new float[] {3, 3, 3}, opened.floats("r"));
    }
  }

  @Test
  void thePublishedFileHasItsTensors() {
    try (PyTorchFile opened = PyTorchFile.open(SharedData.require("waco/weights/waco-spmm.pth"))) {
      assertEquals(42, opened.tensors().size());
      assertEquals(
          376_769, opened.tensors().values().stream().mapToLong(TensorView::elements).sum());
      assertArrayEquals(new long[] {25, 1, 32}, opened.tensors().get("layer1.0.kernel").shape());
    }
  }

  @Test
  void aFileCutShortIsRefused() throws IOException {
    byte[] whole = sample();
    for (int length : new int[] {0, 1, 3, 30, 200, whole.length / 2, whole.length - 1}) {
      assertRefused(Arrays.copyOf(whole, length), "no whole zip archive");
    }
    Path none = folder.resolve("none.pth");
    String message = assertThrows(InputException.class, () -> PyTorchFile.open(none)).getMessage();
    assertTrue(message.contains("no such file"), message);
  }

  @Test
  void whatIsNoArchiveOfPyTorchIsRefused() throws IOException {
    // How torch.save began before 1.6.
    assertRefused(
        new Pickle().number(0x1950a86).end(), "no whole zip archive", "PyTorch 1.6 or newer");
    byte[] big = "big".getBytes(StandardCharsets.US_ASCII);
    byte[] pickle = new Pickle().orderedDict().end();
    assertRefused(PyTorchArchive.zip(pickle, Map.of("byteorder", big)), "'big', expected little");
    byte[] elsewhere = PyTorchArchive.zip(pickle, Map.of());
    for (int i = 0; i + 8 < elsewhere.length; i++) {
      if (new String(elsewhere, i, 8, StandardCharsets.US_ASCII).equals("data.pkl")) {
        elsewhere[i + 7] = 'x';
      }
    }
    assertRefused(elsewhere, "0 entries NAME/data.pkl");
  }

  @Test
  void aDamagedStorageIsRefused() throws IOException {
    byte[] whole = sample();
    byte[] storage = PyTorchArchive.bytes(SIX);
    int at = 0;
    while (!Arrays.equals(storage, 0, storage.length, whole, at, at + storage.length)) {
      at++;
    }
    whole[at + 2] ^= 4;
    assertRefused(whole, "CRC-32");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 5, 7, 1L << 30})
  void aStorageOfAnotherSizeIsRefused(long elements) throws IOException {
    Pickle pickle = new Pickle().orderedDict().text("t");
    pickle.tensor("FloatStorage", "0", elements, 0, new long[] {2}, new long[] {1}).op('s');
    byte[] bytes = pickle.end();
    String said = elements + (elements == 0 ? " elements" : " floats");
    assertRefused(PyTorchArchive.zip(bytes, Map.of("data/0", PyTorchArchive.bytes(SIX))), said);
    assertRefused(PyTorchArchive.zip(bytes, Map.of()), said);
  }

  /** Pickles that name a function, in every way that a pickle has. */
  static Stream<Arguments> names() {
    return Stream.of(
        Arguments.of("os.system", new Pickle().global("os", "system").text("id")),
        Arguments.of(
            "posix.system",
            // Protocol 4: names on the stack.
            new Pickle().text("posix").text("system").op(0x93).text("id")),
        Arguments.of("posix.system", new Pickle().op('(').op('i').line("posix").line("system")),
        Arguments.of("builtins.eval", new Pickle().orderedDict().global("builtins", "eval")),
        // What the library would make objects of.
        Arguments.of("datetime.date", new Pickle().global("datetime", "date")),
        Arguments.of("array.array", new Pickle().global("array", "array")),
        Arguments.of("decimal.Decimal", new Pickle().global("decimal", "Decimal")),
        Arguments.of("torch.DoubleStorage", new Pickle().global("torch", "DoubleStorage")),
        Arguments.of(
            "torch._utils._rebuild_parameter",
            new Pickle().global("torch._utils", "_rebuild_parameter")));
  }

  @ParameterizedTest
  @MethodSource("names")
  void aPickleThatNamesAFunctionIsRefusedByThatName(String name, Pickle pickle) throws IOException {
    byte[] bytes = pickle.op(0x85).op('R').end();
    assertRefused(PyTorchArchive.zip(bytes, Map.of()), "names " + name, "refused");
  }

  static Stream<Arguments> otherPickles() {
    Pickle inside = new Pickle().orderedDict().text("state").orderedDict().op('s');
    Pickle outside = new Pickle().orderedDict().text("t");
    outside.tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {4, 1}).op('s');
    Pickle negative = new Pickle().orderedDict().text("t");
    negative.tensor("FloatStorage", "0", 6, 3, new long[] {2}, new long[] {-1}).op('s');
    return Stream.of(
        Arguments.of("'state' is a dict", inside.end()),
        Arguments.of("storage of 6 elements", outside.end()),
        Arguments.of("storage of 6 elements", negative.end()),
        Arguments.of("expected a state dict", new Pickle().number(1).end()),
        Arguments.of("expected a state dict", new Pickle().tuple(1, 2).end()),
        Arguments.of("opcode 0x81", new Pickle().orderedDict().op(')').op(0x81).end()),
        Arguments.of("opcode 0x32", new Pickle().orderedDict().op('2').end()),
        Arguments.of("cut short", new Pickle().orderedDict().op('J').end()),
        Arguments.of("cut short", new Pickle().op('X').op(255).op(255).op(255).op(127).end()),
        Arguments.of("not a valid pickle", new Pickle().op('s').end()),
        Arguments.of(
            "arguments", new Pickle().global("torch", "FloatStorage").op(')').op('R').end()),
        Arguments.of("is no dict", new Pickle().number(1).op('}').op('b').end()),
        Arguments.of("expected text", new Pickle().op('}').number(1).number(2).op('s').end()),
        Arguments.of("follow the end", new Pickle().orderedDict().op('.').end()));
  }

  @ParameterizedTest
  @MethodSource("otherPickles")
  void whatIsNoStateDictIsRefused(String part, byte[] pickle) throws IOException {
    assertRefused(PyTorchArchive.zip(pickle, Map.of("data/0", PyTorchArchive.bytes(SIX))), part);
  }

  /** However a pickle is mangled, it is read or refused in one line. */
  @Test
  void mangledPicklesAreReadOrRefused() throws IOException {
    Pickle pickle = new Pickle().orderedDict().op('(');
    pickle.text("t").tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1});
    byte[] whole = pickle.op('u').op('}').op('b').end();
    SplittableRandom random = new SplittableRandom(20261124);
    int refused = 0;
    for (int n = 0; n < 3000; n++) {
      byte[] mangled = whole.clone();
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        mangled[random.nextInt(mangled.length)] = (byte) random.nextInt(256);
      }
      Path path = file(PyTorchArchive.zip(mangled, Map.of("data/0", PyTorchArchive.bytes(SIX))));
      try (PyTorchFile opened = PyTorchFile.open(path)) {
        opened.tensors().keySet().forEach(opened::floats);
      } catch (InputException e) {
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > 2000, refused + " of 3000 refused");
  }
}
