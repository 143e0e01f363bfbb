package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.WacoWeights;
import autosparse.costmodel.pytorch.PyTorchArchive;
import autosparse.costmodel.pytorch.WacoByHand;
import autosparse.schedule.Op;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code export} writes, read by others: by the format's published rules, and by its maker.
 */
class SafetensorsExportTest {
  private static final Op OP = Op.SDDMM;

  /** Bytes an element, of the types that the format names and a model of ours may have. */
  private static final Map<String, Integer> WIDTHS = Map.of("F32", 4, "F64", 8, "I32", 4, "I64", 8);

  @TempDir static Path folder;
  private static Path file;
  private static WacoByHand network;

  @BeforeAll
  static void export() throws IOException {
    network = WacoByHand.random(OP, 9);
    Path weights = PyTorchArchive.write(folder, "weights.pth", network.toBytes());
    Path run = folder.resolve("run");
    file = folder.resolve("exported.safetensors");
    Program program = new Program();
    program.succeed(
        List.of(
            "import", "--op", OP.id(), "--weights", weights.toString(), "--out", run.toString()));
    program.succeed(
        List.of(
            "export",
            "--format",
            "safetensors",
            "--checkpoint",
            run.toString(),
            "--out",
            file.toString()));
  }

  /** {@code name type [sizes] crc32-of-the-bytes} of every tensor, as it was imported. */
  private static Map<String, String> expected() {
    Map<String, String> lines = new TreeMap<>();
    WacoWeights.publishedNames(OP)
        .forEach(
            (ours, published) -> {
              CRC32 checksum = new CRC32();
              checksum.update(PyTorchArchive.bytes(network.values().get(published)));
              List<Long> sizes = new ArrayList<>();
              for (long size : network.sizes().get(published)) {
                sizes.add(size);
              }
              lines.put(ours, "F32 " + sizes + " " + checksum.getValue());
            });
    return lines;
  }

  /** https://github.com/huggingface/safetensors, "Format". */
  @Test
  void theFormatsRulesHold() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertTrue(length > 0 && length <= 100_000_000 && 8 + length <= bytes.length, "N: " + length);
    assertEquals('{', bytes[8]);
    String header = new String(bytes, 8, (int) length, StandardCharsets.UTF_8);
    String json = header.stripTrailing();
    assertEquals(json + " ".repeat(header.length() - json.length()), header, "padded with spaces");
    JsonNode root =
        new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).readTree(header);
    root.path("__metadata__").forEach(value -> assertTrue(value.isTextual(), "text to text"));
    List<long[]> spans = new ArrayList<>();
    Map<String, String> found = new TreeMap<>();
    root.properties()
        .forEach(
            entry -> {
              if (!entry.getKey().equals("__metadata__")) {
                found.put(entry.getKey(), describe(entry.getValue(), bytes, 8 + length, spans));
              }
            });
    spans.sort(Comparator.comparingLong(span -> span[0]));
    long at = 0;
    for (long[] span : spans) {
      assertEquals(at, span[0], "no holes, no overlaps");
      at = span[1];
    }
    assertEquals(bytes.length - 8 - length, at, "the tensors are the whole buffer");
    assertEquals(expected(), found);
  }

  private static String describe(JsonNode tensor, byte[] bytes, long start, List<long[]> spans) {
    assertEquals(3, tensor.size(), tensor.toString());
    String dtype = tensor.path("dtype").asText();
    List<Long> shape = new ArrayList<>();
    tensor.path("shape").forEach(size -> shape.add(size.asLong()));
    long begin = tensor.path("data_offsets").path(0).asLong();
    long end = tensor.path("data_offsets").path(1).asLong();
    long elements = shape.stream().reduce(1L, (a, b) -> a * b);
    assertEquals(elements * WIDTHS.get(dtype), end - begin, tensor.toString());
    spans.add(new long[] {begin, end});
    CRC32 checksum = new CRC32();
    checksum.update(bytes, (int) (start + begin), (int) (end - begin));
    return dtype + " " + shape + " " + checksum.getValue();
  }

  @Test
  void thePythonPackageReadsIt() throws Exception {
    String script =
        """
        import sys, zlib, safetensors
        for name, tensor in safetensors.deserialize(open(sys.argv[1], "rb").read()):
            checksum = zlib.crc32(bytes(tensor["data"]))
            print(name, tensor["dtype"], list(tensor["shape"]), checksum)
        """;
    String reason = "skipped: no python3 with the package safetensors";
    boolean possible = false;
    try {
      possible = python("import safetensors").waitFor() == 0;
    } catch (IOException noPython) {
      reason += " (" + noPython.getMessage() + ")";
    }
    if (!possible) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(possible, reason);
    Process process = python(script);
    Map<String, String> found = new TreeMap<>();
    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .forEach(line -> found.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
    assertEquals(0, process.waitFor());
    assertEquals(expected(), found);
  }

  private static Process python(String script) throws IOException {
    return new ProcessBuilder("python3", "-c", script, file.toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
