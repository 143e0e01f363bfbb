package autosparse.benchmarks.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds the arrows between the modules, and shows that each rule can fail. */
@Tag("any-jdk")
final class ArchitectureTest {
  private static final String FIXTURES = "autosparse.benchmarks.architecture.violations";

  private static JavaClasses violations;

  @BeforeAll
  static void readViolations() {
    violations = new ClassFileImporter().importPackages(FIXTURES);
  }

  /** Directory of each module, by its package. */
  private static Map<String, Path> modules() {
    Path root = Path.of(System.getProperty("autosparse.root", "..")).toAbsolutePath().normalize();
    Map<String, Path> modules = new LinkedHashMap<>();
    for (String module : Architecture.ARROWS.keySet()) {
      String directory =
          switch (module) {
            case "kernels" -> "native-kernels";
            case "schedule", "costmodel", "tuner", "trainer" -> "model/" + module;
            default -> module;
          };
      modules.put(module, root.resolve(directory));
    }
    return modules;
  }

  /** Compiled classes of the modules that have sources. */
  private static List<Path> compiled() {
    List<Path> compiled = new ArrayList<>();
    modules()
        .forEach(
            (module, directory) -> {
              if (hasFile(directory.resolve("src/main/java"), "[^-]+\\.java")) {
                Path classes = directory.resolve("target/classes");
                assertTrue(hasFile(classes, ".*\\.class"), "not compiled: " + classes);
                compiled.add(classes);
              }
            });
    return compiled;
  }

  private static boolean hasFile(Path directory, String name) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      return files.anyMatch(file -> file.getFileName().toString().matches(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @TestFactory
  Stream<DynamicTest> theProductKeepsTheRules() {
    JavaClasses product = new ClassFileImporter().importPaths(compiled());
    assertTrue(product.size() > 100, product.size() + " classes");
    return new Architecture("autosparse")
        .rules().entrySet().stream()
            .map(
                rule ->
                    DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(product)));
  }

  /** Every module's classes are in the package of its name and nowhere else. */
  @Test
  void aModuleHasOnePackage() throws IOException {
    for (Map.Entry<String, Path> module : modules().entrySet()) {
      Path classes = module.getValue().resolve("target/classes");
      if (Files.isDirectory(classes)) {
        Path own = classes.resolve("autosparse").resolve(module.getKey());
        try (Stream<Path> files = Files.walk(classes)) {
          assertEquals(
              List.of(),
              files
                  .filter(file -> file.toString().endsWith(".class") && !file.startsWith(own))
                  .toList(),
              "in module " + module.getKey());
        }
      }
    }
  }

  /** One class for each rule that breaks it, and the line that says so. */
  @TestFactory
  Stream<DynamicTest> everyRuleCanFail() {
    Map<String, ArchRule> rules = new Architecture(FIXTURES).rules();
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("arrows of engine", "engine.UsesLayers");
    expected.put("arrows of schedule", "schedule.UsesEngine");
    expected.put("arrows of costmodel", "costmodel.UsesTrainer");
    expected.put("every class is in a module", "elsewhere.Stray");
    expected.put("no cycles between modules", "engine.UsesLayers");
    expected.put("JCuda stays in its place", "layers.UsesJcuda");
    expected.put("only the trainer prints", "layers.Prints");
    expected.put("no mutable static state", "layers.Counts");
    return expected.entrySet().stream()
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line.getKey(),
                    () -> {
                      var report = rules.get(line.getKey()).evaluate(violations).getFailureReport();
                      assertTrue(
                          report.getDetails().stream().anyMatch(d -> d.contains(line.getValue())),
                          report::toString);
                    }));
  }

  @Test
  void whatIsAllowedIsNoViolation() {
    assertEquals(List.of(), violating("arrows of trainer"));
    assertTrue(
        violating("only the trainer prints").stream().noneMatch(d -> d.contains("trainer.")));
    assertTrue(
        violating("JCuda stays in its place").stream().noneMatch(d -> d.contains("engine.cuda")));
  }

  private static List<String> violating(String rule) {
    ArchRule checked = new Architecture(FIXTURES).rules().get(rule);
    return checked.evaluate(violations).getFailureReport().getDetails();
  }
}
