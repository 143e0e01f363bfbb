package autosparse.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.memory.MemoryTag;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
  private HostDevice device;

  @BeforeEach
  void open() {
    device = HostDevice.cpu(new HostDevice.Options(1 << 20, 1, false));
  }

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void closingFreesWhatTheScopeMadeAndNothingElse() {
    Tensor kept = device.root().real("kept", MemoryTag.WEIGHTS, 3);
    long baseline = device.ledger().liveBytes();
    Tensor lost;
    try (TensorScope step = device.root().child("step")) {
      lost = step.real("lost", MemoryTag.ACTIVATION, 1000);
      try (TensorScope inner = step.child("inner")) {
        inner.real("temporary", MemoryTag.WORKSPACE, 5);
        assertEquals(4096 + 256, step.liveBytes());
      }
      assertEquals(4096, step.liveBytes());
    }
    assertTrue(lost.isClosed());
    assertFalse(kept.isClosed());
    assertEquals(baseline, device.ledger().liveBytes());
    assertEquals(baseline, device.allocator().liveBytes());
  }

  @Test
  void promotedTensorOutlivesItsScope() {
    Tensor result;
    try (TensorScope step = device.root().child("step")) {
      result = step.promote(step.reals("result", MemoryTag.ACTIVATION, new double[] {1, 2}));
    }
    assertArrayEquals(new float[] {1, 2}, result.toFloats());
    assertTrue(device.root().dump().get(0).contains("result F32[2] 8 bytes"));
    assertThrows(IllegalStateException.class, () -> device.root().promote(result));
  }

  @Test
  void sealedScopeMakesNoTensorButChildrenMay() {
    device.root().seal();
    String message =
        assertThrows(
                IllegalStateException.class,
                () -> device.root().real("late", MemoryTag.ACTIVATION, 1))
            .getMessage();
    assertTrue(message.contains("late") && message.contains("sealed"), message);
    try (TensorScope step = device.root().child("step")) {
      step.real("fine", MemoryTag.ACTIVATION, 1);
    }
    device.root().unseal();
    device.root().real("again", MemoryTag.ACTIVATION, 1);
  }

  @Test
  void dumpListsTheScopeAndItsChildren() {
    TensorScope step = device.root().child("step");
    device.root().real("w", MemoryTag.WEIGHTS, 2, 3);
    step.real("a", MemoryTag.ACTIVATION, 4);
    assertEquals(
        List.of("cpu: WEIGHTS w F32[2, 3] 24 bytes", "cpu/step: ACTIVATION a F32[4] 16 bytes"),
        device.root().dump());
    step.close();
  }

  @Test
  void closedScopeIsDone() {
    TensorScope step = device.root().child("step");
    step.close();
    step.close();
    assertThrows(IllegalStateException.class, () -> step.real("late", MemoryTag.ACTIVATION, 1));
    assertThrows(IllegalStateException.class, () -> step.child("late"));
  }

  @Test
  void parentCannotCloseBeforeItsChild() {
    TensorScope step = device.root().child("step");
    TensorScope inner = step.child("inner");
    String message = assertThrows(IllegalStateException.class, step::close).getMessage();
    assertEquals("scope cpu/step closed while cpu/step/inner is open", message);
    inner.close();
    step.close();
  }

  @Test
  void tensorsAndViewsAreUselessAfterClose() {
    Tensor tensor;
    Tensor view;
    try (TensorScope step = device.root().child("step")) {
      tensor = step.zeros("x", MemoryTag.ACTIVATION, 4, 2);
      view = tensor.rows(1, 3);
      assertArrayEquals(new float[4], view.toFloats());
      assertThrows(IllegalStateException.class, () -> step.release(tensor.view(8)));
    }
    String message = assertThrows(IllegalStateException.class, tensor::toFloats).getMessage();
    assertEquals("x F32[4, 2] was used after its scope was closed", message);
    assertThrows(IllegalStateException.class, view::toFloats);
  }

  @Test
  void releaseFreesEarly() {
    try (TensorScope step = device.root().child("step")) {
      Tensor tensor = step.real("x", MemoryTag.ACTIVATION, 4);
      step.release(tensor);
      assertEquals(0, step.liveBytes());
      assertThrows(IllegalStateException.class, () -> step.release(tensor));
    }
  }

  @Test
  void viewsAndCopiesAreChecked() {
    Tensor tensor = device.root().real("x", MemoryTag.ACTIVATION, 4, 2);
    assertThrows(IllegalArgumentException.class, () -> tensor.view(3, 3));
    assertThrows(IllegalArgumentException.class, () -> tensor.rows(1, 5));
    assertThrows(IllegalArgumentException.class, () -> tensor.toInts());
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.read(6, new float[3], 0, 3));
  }

  @Test
  void guardsCatchAWriteBesideATensor() {
    HostDevice guarded = HostDevice.cpu(new HostDevice.Options(1 << 20, 1, true));
    TensorScope step = guarded.root().child("step");
    Tensor tensor = step.real("x", MemoryTag.ACTIVATION, 3);
    for (float value : tensor.toFloats()) {
      assertTrue(Float.isNaN(value), "fresh memory is " + value);
    }
    guarded.memory().write(tensor.offset() + 12, new float[] {1}, 0, 1);
    String message = assertThrows(IllegalStateException.class, step::close).getMessage();
    assertEquals("memory around x F32[3] was overwritten at byte 12 of its 12", message);
  }

  @Test
  void guardsCatchAWriteInTheOtherHalfOfTheLastWord() {
    HostDevice guarded = HostDevice.cpu(new HostDevice.Options(1 << 20, 1, true));
    TensorScope step = guarded.root().child("step");
    Tensor tensor = step.create("x", DType.BF16, MemoryTag.ACTIVATION, 3);
    for (float value : tensor.toFloats()) {
      assertTrue(Float.isNaN(value), "fresh memory is " + value);
    }
    tensor.setDoubles(new double[] {1, 2, 3});
    guarded.memory().write(tensor.offset() + 6, new short[1], 0, 1);
    String message = assertThrows(IllegalStateException.class, step::close).getMessage();
    assertEquals("memory around x BF16[3] was overwritten at byte 6 of its 6", message);
  }
}
