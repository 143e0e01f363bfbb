package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.kernels.Ptx.Parameter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class PtxTest {
  private static Ptx ptx(String text) {
    return new Ptx("family", "compute_75", text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void readsEntriesAndTheirParameters() {
    Ptx ptx =
        ptx(
            """
            .visible .entry one(
              .param .u64 .ptr .align 1 one_param_0,
              .param .u32 one_param_1
            )
            .maxntid 256
            { ret; }
            .visible .entry two()
            { ret; }
            .visible .entry three(.param .f32 a, .param .f64 b, .param .s64 c)
            { ret; }
            """);
    assertEquals(List.of("one", "two", "three"), List.copyOf(ptx.entries().keySet()));
    assertEquals(List.of(Parameter.I64, Parameter.I32), ptx.parameters("one"));
    assertEquals(List.of(), ptx.parameters("two"));
    assertEquals(List.of(Parameter.F32, Parameter.F64, Parameter.I64), ptx.parameters("three"));
    assertThrows(IllegalStateException.class, () -> ptx.parameters("four"));
  }

  @Test
  void refusesStructures() {
    String message =
        assertThrows(
                IllegalStateException.class,
                () -> ptx(".entry one(.param .align 8 .b8 one_param_0[16])"))
            .getMessage();
    assertTrue(message.startsWith("kernel family.one has a parameter of type .b8"), message);
  }

  private static Gpu gpu(int major, int minor) {
    return new Gpu(0, "GPU " + major + "." + minor, major, minor, 1, 1);
  }

  @Test
  void bestArchitectureThatRunsIsChosen() {
    assertEquals("compute_75", PtxModules.of("elementwise", gpu(7, 5)).architecture());
    assertEquals("compute_80", PtxModules.of("elementwise", gpu(8, 0)).architecture());
    assertEquals("compute_80", PtxModules.of("elementwise", gpu(8, 9)).architecture());
    assertEquals("compute_80", PtxModules.of("elementwise", gpu(12, 0)).architecture());
    assertEquals(
        "no kernels of family elementwise for GPU 7.0 (compute capability 7.0; 7.5 or newer is"
            + " needed)",
        assertThrows(IllegalStateException.class, () -> PtxModules.of("elementwise", gpu(7, 0)))
            .getMessage());
  }

  @Test
  void acceleratedArchitecturesRunNowhereElse() {
    assertTrue(PtxModules.runs("sm_90a", gpu(9, 0)));
    assertTrue(!PtxModules.runs("sm_90a", gpu(10, 0)));
    assertTrue(!PtxModules.runs("sm_90a", gpu(8, 9)));
  }
}
