package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.tuner.codegen.KernelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiling and its cache, with real and with broken compilers. */
final class KernelCompilerTest {
  @TempDir Path folder;

  private CompileSettings settings;
  private Path cache;
  private Path work;

  @BeforeEach
  void makeFolders() throws IOException {
    settings = HandWritten.settings(folder).compile();
    cache = folder.resolve("cache");
    work = Files.createDirectory(folder.resolve("work"));
  }

  private KernelCompiler compiler(CompileSettings with) {
    return new KernelCompiler(Toolchain.find(with.cc()), with, cache, work);
  }

  private static KernelSource source(String before) {
    return new KernelSource("kernel", HandWritten.rightAnd(Op.SPMV, before, ""));
  }

  private static List<KernelSource> sources(int count) {
    return IntStream.range(0, count).mapToObj(n -> source("  (void)" + n + ";\n")).toList();
  }

  private static KernelCompiler.Compiled.Kernel kernel(KernelCompiler.Compiled compiled) {
    return assertInstanceOf(KernelCompiler.Compiled.Kernel.class, compiled, compiled::toString);
  }

  private static Outcome.Failed refused(KernelCompiler.Compiled compiled) {
    return assertInstanceOf(KernelCompiler.Compiled.Refused.class, compiled, compiled::toString)
        .outcome();
  }

  private void assertNothingLeft() throws IOException {
    try (Stream<Path> left = Files.list(work)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void severalKernelsShareAFileAndAreFoundAgain() throws IOException {
    KernelCompiler compiler = compiler(settings);
    List<KernelSource> sources = sources(3);
    List<KernelCompiler.Compiled> first = compiler.compile(sources);
    for (KernelCompiler.Compiled compiled : first) {
      assertTrue(!kernel(compiled).cached());
      assertTrue(
          Files.isSameFile(kernel(compiled).sharedObject(), kernel(first.get(0)).sharedObject()));
    }
    assertNotEquals(kernel(first.get(0)).function(), kernel(first.get(1)).function());
    assertEquals(3, compiler.translated());

    KernelCompiler again = compiler(settings);
    List<KernelCompiler.Compiled> second =
        again.compile(
            List.of(sources.get(2), source("  (void)9;\n"), sources.get(0), sources.get(0)));
    assertEquals(kernel(first.get(2)).sharedObject(), kernel(second.get(0)).sharedObject());
    assertTrue(kernel(second.get(0)).cached());
    assertTrue(!kernel(second.get(1)).cached());
    assertEquals(second.get(2), second.get(3));
    assertEquals(1, again.translated());
    assertNothingLeft();
  }

  @Test
  void whatTheCodeDependsOnIsInItsName() {
    Toolchain toolchain = Toolchain.find("gcc");
    CompileCache names = new CompileCache(cache, toolchain);
    String key = names.key(List.of("-O1"), "kernel", "code");
    assertEquals(64, key.length());
    assertEquals(key, new CompileCache(work, toolchain).key(List.of("-O1"), "kernel", "code"));
    Toolchain newer = new Toolchain(toolchain.executable(), "gcc 99", toolchain.target());
    for (String other :
        List.of(
            names.key(List.of("-O2"), "kernel", "code"),
            names.key(List.of("-O1", ""), "kernel", "code"),
            names.key(List.of("-O1"), "other", "code"),
            names.key(List.of("-O1"), "kernelc", "ode"),
            names.key(List.of("-O1"), "kernel", "code "),
            new CompileCache(cache, newer).key(List.of("-O1"), "kernel", "code"))) {
      assertNotEquals(key, other);
    }
  }

  /** Processes share a cache: one may find a file broken and delete it while another keeps it. */
  @Test
  void aFileIsKeptUnderAllItsNamesThoughOneIsForgottenMeanwhile() throws Exception {
    CompileCache names = new CompileCache(cache, Toolchain.find("gcc"));
    Path object = Files.writeString(folder.resolve("object"), "code");
    List<String> keys =
        IntStream.range(0, 8).mapToObj(i -> names.key(List.of(), "kernel", "code " + i)).toList();
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> forgetting =
        CompletableFuture.runAsync(
            () -> {
              try {
                while (!done.get()) {
                  Files.deleteIfExists(names.path(keys.get(0)));
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    try {
      for (int round = 0; round < 300; round++) {
        names.keep(object, keys);
      }
    } finally {
      done.set(true);
    }
    forgetting.get(1, TimeUnit.MINUTES);
    for (String key : keys.subList(1, keys.size())) {
      assertEquals("code", Files.readString(names.find(key).orElseThrow()));
    }
    try (Stream<Path> left = Files.walk(cache)) {
      assertEquals(
          List.of(),
          left.filter(Files::isRegularFile)
              .map(file -> file.getFileName().toString())
              .filter(name -> !keys.contains(name))
              .toList());
    }
  }

  @Test
  void theOneThatDoesNotCompileIsFound() throws IOException {
    List<KernelSource> sources =
        List.of(
            source(""),
            source("  int x = y;\n"),
            source("  (void)1;\n"),
            // Breaks what comes behind it in the same file.
            new KernelSource("kernel", "void kernel(void) {\n"));
    List<KernelCompiler.Compiled> compiled = compiler(settings).compile(sources);
    kernel(compiled.get(0));
    assertEquals(Failure.COMPILE_ERROR, refused(compiled.get(1)).failure());
    assertTrue(
        refused(compiled.get(1)).detail().startsWith("kernels.c:"),
        refused(compiled.get(1))::detail);
    assertTrue(
        refused(compiled.get(1)).detail().contains("'y' undeclared"),
        refused(compiled.get(1))::detail);
    kernel(compiled.get(2));
    assertEquals(Failure.COMPILE_ERROR, refused(compiled.get(3)).failure());
    assertNothingLeft();
  }

  @Test
  void aCompilerThatHangsIsKilledWithItsChildren() throws IOException {
    Path pids = folder.resolve("pids");
    Path cc =
        HandWritten.script(
            folder.resolve("cc"),
            "case $1 in --version|-dumpmachine) echo fake 1; exit;; esac",
            "echo $$ >> " + pids,
            "(while :; do sleep 100; done) & wait");
    CompileSettings hangs =
        settings.withCompiler(cc.toString()).withTimeout(Duration.ofMillis(500));
    List<KernelCompiler.Compiled> compiled = compiler(hangs).compile(sources(2));
    for (KernelCompiler.Compiled each : compiled) {
      assertEquals(Failure.COMPILE_TIMEOUT, refused(each).failure());
      assertEquals("more than 500 ms", refused(each).detail());
    }
    List<String> started = Files.readAllLines(pids);
    assertEquals(3, started.size(), "together, then each alone");
    for (String pid : started) {
      assertEquals(List.of(), HandWritten.members(Long.parseLong(pid)));
    }
    assertNothingLeft();
  }

  @Test
  void aCompilerThatFailsSilentlyOrFloods() throws IOException {
    String version = "case $1 in --version|-dumpmachine) echo fake 1; exit;; esac";
    Path silent = HandWritten.script(folder.resolve("silent"), version, "exit 3");
    Outcome.Failed failed =
        refused(compiler(settings.withCompiler(silent.toString())).compile(sources(1)).get(0));
    assertEquals(Failure.COMPILE_ERROR, failed.failure());
    assertEquals("exit code 3, no output", failed.detail());
    Path floods =
        HandWritten.script(
            folder.resolve("floods"),
            version,
            "yes 'a line: error: flood' | head -c 5000000",
            "exit 1");
    failed = refused(compiler(settings.withCompiler(floods.toString())).compile(sources(1)).get(0));
    assertEquals("a line: error: flood", failed.detail());
    // One that claims success without a file.
    Path lies = HandWritten.script(folder.resolve("lies"), version, "exit 0");
    assertThrows(
        UncheckedIOException.class,
        () -> compiler(settings.withCompiler(lies.toString())).compile(sources(1)));
    Path full =
        HandWritten.script(
            folder.resolve("full"),
            version,
            "echo 'as: kernels.o: No space left on device'",
            "exit 1");
    UncheckedIOException thrown =
        assertThrows(
            UncheckedIOException.class,
            () -> compiler(settings.withCompiler(full.toString())).compile(sources(1)));
    assertTrue(thrown.getMessage().contains("No space left on device"), thrown::getMessage);
    assertNothingLeft();
  }

  @Test
  void aRunnerThatDoesNotCompileSaysWhy() {
    CompileSettings wrong = settings.withFurtherFlags(List.of("-DSPMV=]"));
    IllegalStateException e = assertThrows(IllegalStateException.class, compiler(wrong)::runner);
    assertTrue(e.getMessage().contains("error:"), e::getMessage);
    assertTrue(Files.isExecutable(compiler(settings).runner()));
    assertEquals(compiler(settings).runner(), compiler(settings).runner());
  }

  @Test
  void toolchainsThatAreNone() throws IOException {
    Path broken = HandWritten.script(folder.resolve("broken"), "echo cannot; exit 1");
    Path mute = HandWritten.script(folder.resolve("mute"), "exit 0");
    Path text = Files.writeString(folder.resolve("text"), "no program");
    for (String cc :
        List.of(
            "no-such-cc", broken.toString(), mute.toString(), text.toString(), folder.toString())) {
      InputException e = assertThrows(InputException.class, () -> Toolchain.find(cc));
      assertTrue(
          e.getMessage().contains(cc.substring(0, Math.min(50, cc.length()))), e::getMessage);
      assertEquals(1, e.getMessage().lines().count());
    }
    Toolchain gcc = Toolchain.find("gcc");
    assertTrue(gcc.executable().isAbsolute());
    assertTrue(gcc.version().contains("gcc"), gcc::version);
    assertEquals(gcc, Toolchain.find(gcc.executable().toString()));
  }
}
