package autosparse.costmodel.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.DType;
import autosparse.engine.HostDevice;
import autosparse.engine.Shape;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.schedule.InputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  private static final String ONE =
      "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}".replace('\'', '"');

  @TempDir Path folder;

  private static List<StoredTensor> sample() {
    return List.of(
        StoredTensor.floats("weight", Shape.of(2, 3), new float[] {1, -2, 0.5f, 4, 5, Float.NaN}),
        StoredTensor.longs("cursor", Shape.of(1), new long[] {Long.MIN_VALUE}),
        StoredTensor.ints("steps", Shape.of(3), new int[] {1, 2, 3}),
        StoredTensor.doubles("scalar", Shape.of(), new double[] {Math.PI}),
        StoredTensor.floats("empty", Shape.of(0, 4), new float[0]));
  }

  private static byte[] bytesOf(Map<String, String> metadata, List<StoredTensor> tensors)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Safetensors.write(out, metadata, tensors);
    return out.toByteArray();
  }

  private Path fileOf(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("model.safetensors"), bytes);
  }

  private static byte[] file(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  private String problemOf(byte[] bytes) throws IOException {
    Path file = fileOf(bytes);
    String message =
        assertThrows(InputException.class, () -> SafetensorsFile.open(file)).getMessage();
    assertTrue(message.startsWith(file.toString()), message);
    assertEquals(1, message.lines().count(), message);
    return message.substring(file.toString().length() + 2);
  }

  @Test
  void bytesAreThoseOfTheFormat() throws IOException {
    byte[] bytes =
        bytesOf(
            Map.of("format", "pt"),
            List.of(
                StoredTensor.floats("b", Shape.of(2), new float[] {1, 2}),
                StoredTensor.longs("a", Shape.of(1), new long[] {-1})));
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = (int) buffer.getLong();
    String header = new String(bytes, 8, headerBytes, StandardCharsets.UTF_8);
    String json =
        ("{'__metadata__':{'format':'pt'},"
                + "'a':{'dtype':'I64','shape':[1],'data_offsets':[0,8]},"
                + "'b':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}}")
            .replace('\'', '"');
    assertEquals(json, header.stripTrailing());
    assertEquals(0, headerBytes % 8);
    assertTrue(headerBytes - json.length() < 8);
    buffer.position(8 + headerBytes);
    assertEquals(-1L, buffer.getLong());
    assertEquals(1f, buffer.getFloat());
    assertEquals(2f, buffer.getFloat());
    assertEquals(0, buffer.remaining());
  }

  @Test
  void valuesComeBack() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Safetensors.write(path, Map.of("k", "v\n\u2713"), sample());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(Map.of("k", "v\n\u2713"), file.metadata());
      assertArrayEquals(new float[] {1, -2, 0.5f, 4, 5, Float.NaN}, file.floats("weight"));
      assertArrayEquals(new long[] {Long.MIN_VALUE}, file.longs("cursor"));
      assertArrayEquals(new int[] {1, 2, 3}, file.ints("steps"));
      assertArrayEquals(new double[] {Math.PI}, file.doubles("scalar"));
      assertEquals(0, file.floats("empty").length);
      long dataStart = Files.size(path) - (24 + 12 + 8 + 8);
      for (TensorInfo tensor : file.tensors()) {
        assertEquals(0, (dataStart + tensor.begin()) % tensor.dtype().bytes(), tensor.name());
      }
    }
  }

  @Test
  void sameTensorsGiveSameBytesInAnyOrder() throws IOException {
    List<StoredTensor> tensors = sample();
    List<StoredTensor> reversed = new ArrayList<>(tensors);
    Collections.reverse(reversed);
    assertArrayEquals(
        bytesOf(Map.of("a", "1", "b", "2"), tensors),
        bytesOf(Map.of("b", "2", "a", "1"), reversed));
  }

  @Test
  void bfloat16ComesBack() {
    Path path = folder.resolve("model.safetensors");
    try (HostDevice device =
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(1 << 20).withThreads(1))) {
      Tensor from = device.root().create("from", DType.BF16, MemoryTag.WEIGHTS, 3);
      Tensor to = device.root().create("to", DType.BF16, MemoryTag.WEIGHTS, 3);
      from.setDoubles(new double[] {1.5, -0x1p-100, Double.NaN});
      Safetensors.write(path, Map.of(), List.of(StoredTensor.of("w", from)));
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        file.readInto("w", to);
        assertArrayEquals(from.toDoubles(), to.toDoubles());
      }
    }
  }

  @Test
  void tensorsLongerThanOnePieceAndEngineTensorsComeBack() {
    Path path = folder.resolve("model.safetensors");
    int count = Safetensors.CHUNK_BYTES / 4 * 2 + 3;
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i;
    }
    try (HostDevice device =
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(1 << 25).withThreads(1))) {
      TensorScope root = device.root();
      Tensor from = root.create("from", DType.F32, MemoryTag.WEIGHTS, count);
      Tensor to = root.create("to", DType.F32, MemoryTag.WEIGHTS, count);
      from.write(0, values, 0, count);
      Safetensors.write(path, Map.of(), List.of(StoredTensor.of("w", from)));
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        file.readInto("w", to);
        assertArrayEquals(values, to.toFloats());
        assertArrayEquals(values, file.floats("w"));
        Path copy = folder.resolve("copy.safetensors");
        Safetensors.write(copy, Map.of(), List.of(file.stored("w", "x")));
        try (SafetensorsFile copied = SafetensorsFile.open(copy)) {
          assertArrayEquals(values, copied.floats("x"));
        }
        Tensor other = root.create("other", DType.F32, MemoryTag.WEIGHTS, 2, 2);
        InputException wrong = assertThrows(InputException.class, () -> file.readInto("w", other));
        assertTrue(wrong.getMessage().endsWith("the model expects F32 [2, 2]"), wrong.getMessage());
      }
    }
  }

  @Test
  void tensorsOfAnotherModelAreNamed() {
    Path path = folder.resolve("model.safetensors");
    Safetensors.write(path, Map.of(), sample());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      InputException missing =
          assertThrows(InputException.class, () -> file.require("bias", DType.F32, Shape.of(3)));
      assertEquals(path + ": no tensor 'bias': the file is of another model", missing.getMessage());
      InputException other =
          assertThrows(
              InputException.class,
              () -> file.requireNoOthers(List.of("weight", "cursor", "scalar", "empty")));
      assertTrue(other.getMessage().contains("tensor 'steps'"), other.getMessage());
      InputException type = assertThrows(InputException.class, () -> file.ints("weight"));
      assertTrue(type.getMessage().contains("is F32 [2, 3]"), type.getMessage());
    }
  }

  @Test
  void twoTensorsOfOneNameAreRefused() {
    StoredTensor tensor = StoredTensor.ints("x", Shape.of(1), new int[1]);
    assertThrows(IllegalArgumentException.class, () -> bytesOf(Map.of(), List.of(tensor, tensor)));
  }

  @Test
  void everyCutIsNoticed() throws IOException {
    byte[] bytes = bytesOf(Map.of("format", "pt"), sample());
    for (int length = 0; length < bytes.length; length++) {
      problemOf(Arrays.copyOf(bytes, length));
    }
    assertTrue(
        problemOf(Arrays.copyOf(bytes, bytes.length + 1)).endsWith("follow the last tensor"));
    assertTrue(problemOf(Arrays.copyOf(bytes, bytes.length - 1)).endsWith("cut short"));
  }

  @Test
  void corruptionGivesTheOneExceptionOrReadableTensors() throws IOException {
    byte[] whole = bytesOf(Map.of("format", "pt"), sample());
    int headerEnd = 8 + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    long seed = 20260113;
    Random random = new Random(seed);
    for (int round = 0; round < 1000; round++) {
      byte[] bytes = whole.clone();
      int changes = 1 + random.nextInt(3);
      for (int c = 0; c < changes; c++) {
        bytes[random.nextInt(headerEnd)] = (byte) random.nextInt(256);
      }
      Path path = fileOf(bytes);
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        for (TensorInfo tensor : file.tensors()) {
          switch (tensor.dtype()) {
            case F32 -> file.floats(tensor.name());
            case F64 -> file.doubles(tensor.name());
            case I32 -> file.ints(tensor.name());
            case I64 -> file.longs(tensor.name());
            case BF16 -> throw new AssertionError("the file has no such tensor: " + tensor);
          }
        }
      } catch (InputException e) {
        assertEquals(1, e.getMessage().lines().count(), "seed " + seed + " round " + round);
        assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
      }
    }
  }

  @Test
  void eachRuleOfTheHeaderIsHeld() throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(fileOf(file(ONE + "   ", 8)))) {
      assertEquals(2, file.floats("a").length);
    }
    assertTrue(problemOf(new byte[4]).contains("cut short"));
    byte[] huge = file(ONE, 8);
    huge[5] = 1;
    assertTrue(problemOf(huge).startsWith("header length"));
    huge[7] = -1;
    assertTrue(problemOf(huge).startsWith("header length 18"), problemOf(huge));
    assertTrue(problemOf(file(" " + ONE, 8)).contains("does not begin with '{'"));
    assertTrue(problemOf(file("", 0)).contains("does not begin with '{'"));
    assertTrue(problemOf(file("{\"a\":", 0)).contains("not valid JSON"));
    assertTrue(problemOf(file(ONE + "{}", 8)).contains("goes on"));
    assertTrue(header("'F32'", "'F16'").contains("dtype is F16, expected F32"));
    assertTrue(header("'F32'", "7").contains("dtype is 7"));
    assertTrue(header("[2]", "[3]").contains("shape [3] of F32 takes 12"));
    assertTrue(header("[2]", "[-2]").contains("shape has -2"));
    assertTrue(header("[2]", "[2.0]").contains("shape has 2.0"));
    assertTrue(header("[2]", "2").contains("expected a list"));
    assertTrue(header("[2]", "[4294967296,4294967296]").contains("too large"));
    assertTrue(header("[2]", "[99999999999999999999]").contains("shape has 9999"));
    assertTrue(header("[0,8]", "[8,0]").contains("expected [begin, end]"));
    assertTrue(header("[0,8]", "[0,8,8]").contains("expected [begin, end]"));
    assertTrue(header("[0,8]", "[8,16]").contains("leaves a hole after the header"));
    assertTrue(header("'shape'", "'form'").contains("field 'form'"));
    assertTrue(header("'shape':[2],", "").contains("shape is missing"));
    assertTrue(problemOf(file(ONE.replace("}}", "},\"a\":{}}"), 8)).contains("Duplicate field"));
    assertTrue(problemOf(file("{\"__metadata__\":{\"a\":1}}", 0)).contains("'a': 1, expected"));
    assertTrue(problemOf(file("{\"a\":[]}", 0)).contains("is a list, expected an object"));
    String overlap =
        ONE.replace("}}", "},\"b\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[4,8]}}");
    assertTrue(problemOf(file(overlap, 8)).contains("'b': data_offsets begins at byte 4 and over"));
    byte[] notText = file(ONE, 8);
    notText[10] = (byte) 0xff;
    assertTrue(problemOf(notText).contains("not UTF-8"));
  }

  private String header(String from, String to) throws IOException {
    return problemOf(file(ONE.replace(from.replace('\'', '"'), to.replace('\'', '"')), 8));
  }

  @Test
  void missingFilesAndFoldersAreBadInput() {
    Path missing = folder.resolve("none.safetensors");
    assertEquals(
        "cannot read " + missing + ": no such file or folder",
        assertThrows(InputException.class, () -> SafetensorsFile.open(missing)).getMessage());
    assertEquals(
        folder + ": is a folder, expected a safetensors file",
        assertThrows(InputException.class, () -> SafetensorsFile.open(folder)).getMessage());
  }
}
