package autosparse.benchmarks.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.conditions.ArchConditions.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The house's rules (design, section 1), for all packages under a root: {@code autosparse} for the
 * product, another one for the classes that show that the rules can fail.
 */
final class Architecture {
  /** What each module may use of the others; benchmarks sees all. */
  static final Map<String, List<String>> ARROWS = arrows();

  private final String root;

  Architecture(String root) {
    this.root = root;
  }

  private static Map<String, List<String>> arrows() {
    Map<String, List<String>> arrows = new LinkedHashMap<>();
    arrows.put("kernels", List.of());
    arrows.put("engine", List.of("kernels"));
    arrows.put("autograd", List.of("kernels", "engine"));
    arrows.put("layers", List.of("kernels", "engine", "autograd"));
    arrows.put("schedule", List.of());
    arrows.put("costmodel", List.of("kernels", "engine", "autograd", "layers", "schedule"));
    arrows.put(
        "tuner", List.of("kernels", "engine", "autograd", "layers", "schedule", "costmodel"));
    arrows.put(
        "trainer",
        List.of("kernels", "engine", "autograd", "layers", "schedule", "costmodel", "tuner"));
    arrows.put(
        "benchmarks",
        List.of(
            "kernels",
            "engine",
            "autograd",
            "layers",
            "schedule",
            "costmodel",
            "tuner",
            "trainer"));
    return arrows;
  }

  private String all(String module) {
    return root + "." + module + "..";
  }

  /** The rules by a short name. */
  Map<String, ArchRule> rules() {
    Map<String, ArchRule> rules = new LinkedHashMap<>();
    ARROWS.forEach((module, used) -> rules.put("arrows of " + module, arrow(module, used)));
    rules.put("every class is in a module", everyClassIsInAModule());
    rules.put("no cycles between modules", noCycles());
    rules.put("JCuda stays in its place", jcuda());
    rules.put("only the trainer prints", standardStreams());
    rules.put("no mutable static state", staticFields());
    return rules;
  }

  private ArchRule arrow(String module, List<String> used) {
    List<String> allowed = new ArrayList<>(used.stream().map(this::all).toList());
    allowed.add(all(module));
    String[] packages = allowed.toArray(new String[0]);
    return classes()
        .that()
        .resideInAPackage(all(module))
        .should()
        .onlyDependOnClassesThat(
            describe(
                "are outside of " + root + " or in " + allowed,
                (JavaClass type) -> !inPackage(type, root + "..") || inPackage(type, packages)))
        .allowEmptyShould(true);
  }

  private static boolean inPackage(JavaClass type, String... identifiers) {
    return JavaClass.Predicates.resideInAnyPackage(identifiers).test(type);
  }

  private ArchRule everyClassIsInAModule() {
    return classes()
        .should()
        .resideInAnyPackage(ARROWS.keySet().stream().map(this::all).toArray(String[]::new));
  }

  private ArchRule noCycles() {
    return slices().matching(root + ".(*)..").should().beFreeOfCycles();
  }

  private ArchRule jcuda() {
    return noClasses()
        .that()
        .resideOutsideOfPackages(all("kernels"), all("engine.cuda"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jcuda..");
  }

  private ArchRule standardStreams() {
    return noClasses()
        .that()
        .resideOutsideOfPackages(all("trainer"), all("benchmarks"))
        .should(ACCESS_STANDARD_STREAMS);
  }

  private static ArchRule staticFields() {
    return fields()
        .that()
        .areStatic()
        .and(
            describe(
                "are no compiler's own",
                field -> !field.getModifiers().contains(JavaModifier.SYNTHETIC)))
        .should()
        .beFinal()
        .andShould(
            not(
                be(
                    describe(
                        "a public array",
                        (JavaField field) ->
                            field.getModifiers().contains(JavaModifier.PUBLIC)
                                && field.getRawType().isArray()))));
  }
}
