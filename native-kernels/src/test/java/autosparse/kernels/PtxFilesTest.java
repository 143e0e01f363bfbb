package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.CudaException;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The checked-in PTX: it is what the manifests say and the sources give, and assembles for every
 * GPU that it is meant for, without spills that the manifests do not own up to.
 */
@Execution(ExecutionMode.CONCURRENT)
class PtxFilesTest {
  private static final Path SOURCES = Path.of("src/main/cuda");
  private static final Path FILES = Path.of("src/main/resources/autosparse/kernels/ptx");

  /**
   * A file for each comparison and assembly that passed in this checkout, with the digest of what
   * it depends on: they take minutes together, and nothing changes from one run to the next but
   * what somebody works on. {@code mvn clean} forgets.
   */
  private static final Path PROVED = Path.of("target/ptx-proved");

  /** Real architectures that the PTX of each target has to assemble for. */
  private static final Map<String, List<String>> REAL =
      Map.of(
          "compute_75", List.of("sm_75"),
          "compute_80", List.of("sm_80", "sm_86", "sm_89", "sm_90"),
          "sm_90a", List.of("sm_90a"));

  /**
   * Bytes a thread that this assembler may spill beyond the manifest: the manifest's is of another
   * version, which allots a few registers otherwise.
   */
  private static final long OTHER_ASSEMBLER = 64;

  private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");
  private static final Pattern SPILLS =
      Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");

  @BeforeAll
  static void needsTheCheckout() {
    assumeTrue(Files.isDirectory(SOURCES), "runs in native-kernels of a checkout only");
  }

  private static Set<String> families() throws IOException {
    try (Stream<Path> sources = Files.list(SOURCES)) {
      return new TreeSet<>(
          sources
              .map(file -> String.valueOf(file.getFileName()))
              .filter(name -> name.endsWith(".cu"))
              .map(name -> name.replace(".cu", ""))
              .toList());
    }
  }

  private static JsonNode manifest(String family) throws IOException {
    return new ObjectMapper().readTree(Files.readAllBytes(FILES.resolve(family + ".json")));
  }

  /** Family, target, real architecture. */
  static List<Arguments> assemblies() throws IOException {
    List<Arguments> assemblies = new ArrayList<>();
    if (!Files.isDirectory(SOURCES)) {
      return List.of(Arguments.of("none", "none", "none")); // skipped, with the reason
    }
    for (String family : families()) {
      for (var ptx : manifest(family).get("ptx").properties()) {
        for (String real : REAL.get(ptx.getKey())) {
          assemblies.add(Arguments.of(family, ptx.getKey(), real));
        }
      }
    }
    return assemblies;
  }

  @ParameterizedTest(name = "{0} for {2}")
  @MethodSource("assemblies")
  void assembles(String family, String target, String real) throws IOException {
    JsonNode ptx = manifest(family).get("ptx").get(target);
    byte[] text = Files.readAllBytes(FILES.resolve(ptx.get("file").asText()));
    String assembler = JNvPTXCompiler.class.getProtectionDomain().getCodeSource().toString();
    String digest = sha256(assembler + NativeCache.sha256(text) + ptx);
    if (isProved(family + "." + real, digest)) {
      return;
    }
    Map<String, Long> spills = spills(assemble(text, real));
    JsonNode owned = ptx.get("assembled").get(real);
    assertEquals(new TreeSet<>(new Ptx(family, target, text).entries().keySet()), spills.keySet());
    spills.forEach(
        (entry, bytes) -> {
          long most = owned.get(entry).get("spillBytes").asLong();
          assertTrue(
              bytes <= most + OTHER_ASSEMBLER,
              () -> entry + " spills " + bytes + ", manifest " + most);
        });
    prove(family + "." + real, digest);
  }

  private static boolean isProved(String what, String digest) throws IOException {
    Path proof = PROVED.resolve(what);
    return Files.exists(proof) && Files.readString(proof).equals(digest);
  }

  private static void prove(String what, String digest) throws IOException {
    Files.createDirectories(PROVED);
    Files.writeString(PROVED.resolve(what), digest);
  }

  /** The assembler's log. */
  private static String assemble(byte[] ptx, String architecture) {
    NativeCache.ofUser()
        .loadJCuda("JNvPTXCompiler", () -> JNvPTXCompiler.setExceptionsEnabled(true));
    byte[] terminated = java.util.Arrays.copyOf(ptx, ptx.length + 1);
    nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
    JNvPTXCompiler.nvPTXCompilerCreate(compiler, ptx.length, terminated);
    try {
      String[] options = {"--gpu-name=" + architecture, "--verbose"};
      JNvPTXCompiler.nvPTXCompilerCompile(compiler, options.length, options);
      long[] size = new long[1];
      JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size);
      byte[] log = new byte[(int) size[0] + 1];
      JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
      return new String(log, StandardCharsets.US_ASCII);
    } catch (CudaException e) {
      long[] size = new long[1];
      JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, size);
      byte[] log = new byte[(int) size[0] + 1];
      JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, log);
      throw new AssertionError(new String(log, StandardCharsets.US_ASCII), e);
    } finally {
      JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
    }
  }

  /** Spilled bytes of each entry, stores and loads. */
  private static Map<String, Long> spills(String log) {
    Map<String, Long> spills = new java.util.TreeMap<>();
    String entry = null;
    for (String line : log.lines().toList()) {
      Matcher name = ENTRY.matcher(line);
      if (name.find()) {
        entry = name.group(1);
        spills.put(entry, -1L);
      }
      Matcher bytes = SPILLS.matcher(line);
      if (bytes.find() && entry != null) {
        spills.put(entry, Long.parseLong(bytes.group(1)) + Long.parseLong(bytes.group(2)));
      }
    }
    assertTrue(!spills.containsValue(-1L), log);
    return spills;
  }

  @Test
  void manifestsMatchTheFiles() throws IOException {
    Set<String> expected = new TreeSet<>();
    for (String family : families()) {
      JsonNode manifest = manifest(family);
      StringBuilder sources = new StringBuilder();
      for (JsonNode source : manifest.get("sources")) {
        sources.append(Files.readString(SOURCES.resolve(source.asText())));
      }
      String advice = ": run native-kernels/build-ptx " + family;
      assertEquals(sha256(sources.toString()), manifest.get("sha256").asText(), family + advice);
      expected.add(family + ".json");
      for (var ptx : manifest.get("ptx").properties()) {
        String file = ptx.getValue().get("file").asText();
        String text = Files.readString(FILES.resolve(file));
        expected.add(file);
        assertEquals(sha256(text), ptx.getValue().get("sha256").asText(), file + advice);
        assertTrue(text.startsWith(".version 8.0\n"), file + ": any driver from CUDA 12.0 on");
        assertTrue(PtxModules.ARCHITECTURES.contains(ptx.getKey()), () -> "not looked for: " + ptx);
        assertEquals(
            new TreeSet<>(REAL.get(ptx.getKey())), names(ptx.getValue().get("assembled")), file);
      }
    }
    try (Stream<Path> files = Files.list(FILES)) {
      Set<String> found = new TreeSet<>();
      files.forEach(file -> found.add(String.valueOf(file.getFileName())));
      assertEquals(expected, found);
    }
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static String sha256(String text) {
    return NativeCache.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void ptxIsWhatTheSourcesGive() throws IOException, InterruptedException {
    String version = output(List.of("nvcc", "--version"));
    Map<String, String> unproved = new TreeMap<>();
    for (String family : families()) {
      String made = manifest(family).get("nvcc").asText();
      assumeTrue(
          version.contains(made), () -> family + " was compiled by nvcc " + made + ", not this");
      String digest = digestOfAll(family);
      if (!isProved(family, digest)) {
        unproved.put(family, digest);
      }
    }
    if (unproved.isEmpty()) {
      return;
    }
    List<String> command = new ArrayList<>(List.of("./build-ptx", "--check"));
    command.addAll(unproved.keySet());
    assertEquals("", output(command));
    for (Map.Entry<String, String> family : unproved.entrySet()) {
      prove(family.getKey(), family.getValue());
    }
  }

  /** SHA-256 of everything that the comparison of a family depends on, but nvcc. */
  private static String digestOfAll(String family) throws IOException {
    StringBuilder all = new StringBuilder(Files.readString(Path.of("build-ptx")));
    all.append(Files.readString(FILES.resolve(family + ".json")));
    for (JsonNode source : manifest(family).get("sources")) {
      all.append(Files.readString(SOURCES.resolve(source.asText())));
    }
    for (JsonNode ptx : manifest(family).get("ptx")) {
      all.append(Files.readString(FILES.resolve(ptx.get("file").asText())));
    }
    return sha256(all.toString());
  }

  /** Output of a program; the test is skipped when there is none such. */
  private static String output(List<String> command) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      return abort(command.get(0) + " is not there: " + e.getMessage());
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output.strip();
  }

  @Test
  void noKernelUsesAtomicsOnFloats() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(FILES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".ptx")).toList()) {
        Files.readAllLines(file).stream()
            .filter(line -> line.matches("\\s*(atom|red)\\..*\\.(f16|bf16|f32|f64).*"))
            .forEach(line -> found.add(file + ": " + line));
      }
    }
    assertEquals(Collections.emptyList(), found);
  }
}
