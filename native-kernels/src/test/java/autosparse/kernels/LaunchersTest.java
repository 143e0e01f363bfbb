package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every launcher's every method passes arguments of the types that the kernels in the PTX declare:
 * a mismatch is thrown by {@link Kernel}.
 */
class LaunchersTest {
  /** Which constant of an enum is passed. */
  private int choice;

  static List<Class<?>> launchers() throws IOException, URISyntaxException {
    Path place = Path.of(Kernel.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(place)) {
      return classes(place.resolve("autosparse/kernels"));
    }
    try (FileSystem jar = FileSystems.newFileSystem(place)) {
      return classes(jar.getPath("autosparse/kernels"));
    }
  }

  private static List<Class<?>> classes(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.endsWith("Kernels.class"))
          .sorted()
          .<Class<?>>map(name -> load(name.replace(".class", "")))
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName("autosparse.kernels." + name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(name, e);
    }
  }

  @ParameterizedTest
  @MethodSource("launchers")
  void argumentsFitTheKernels(Class<?> launcher) throws ReflectiveOperationException {
    FakeDriver driver = new FakeDriver();
    try (CudaContext context = CudaContext.open(() -> driver, 0)) {
      Object kernels = launcher.getConstructor(CudaContext.class).newInstance(context);
      for (Method method : launcher.getDeclaredMethods()) {
        if (!Modifier.isPublic(method.getModifiers()) || method.isSynthetic()) {
          continue;
        }
        for (choice = 0; choice < choices(method); choice++) {
          int before = driver.launches;
          method.invoke(kernels, samples(method.getParameterTypes()));
          assertTrue(
              Modifier.isStatic(method.getModifiers())
                  || method.getReturnType() != void.class
                  || driver.launches > before,
              () -> method + " launches nothing");
        }
      }
    }
  }

  /** So often that each constant of each enum among a method's parameters is passed. */
  private static int choices(Method method) {
    int most = 1;
    for (Class<?> type : method.getParameterTypes()) {
      most = Math.max(most, type.isEnum() ? type.getEnumConstants().length : 1);
    }
    return most;
  }

  /** A value of a type: numbers and addresses are 4, records are made of such. */
  private Object sample(Class<?> type) {
    if (type == long.class) {
      return 4L;
    } else if (type == int.class) {
      return 4;
    } else if (type == float.class) {
      return 4f;
    } else if (type == double.class) {
      return 4.0;
    } else if (type == boolean.class) {
      return true;
    } else if (type.isEnum()) {
      return type.getEnumConstants()[choice % type.getEnumConstants().length];
    } else if (type.isRecord()) {
      RecordComponent[] parts = type.getRecordComponents();
      Class<?>[] types =
          Arrays.stream(parts).map(RecordComponent::getType).toArray(Class<?>[]::new);
      try {
        Constructor<?> constructor = type.getDeclaredConstructor(types);
        return constructor.newInstance(samples(types));
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(type.toString(), e);
      }
    }
    return built(type);
  }

  /** An object that is filled by its own methods, each called once. */
  private Object built(Class<?> type) {
    try {
      Constructor<?> constructor = type.getConstructors()[0];
      Object built = constructor.newInstance(samples(constructor.getParameterTypes()));
      for (Method method : type.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers()) && method.getReturnType() == void.class) {
          method.invoke(built, samples(method.getParameterTypes()));
        }
      }
      return built;
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type.toString(), e);
    }
  }

  private Object[] samples(Class<?>[] types) {
    return Arrays.stream(types).map(this::sample).toArray();
  }
}
