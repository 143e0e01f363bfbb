package autosparse.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/**
 * Where native libraries from the jar are unpacked: a folder of this user's, one subfolder for each
 * content.
 *
 * <p>JCuda itself unpacks to the common temporary folder, under a fixed name, and loads whatever
 * lies there: another user's file, or half of one. Here the subfolder is named after the library's
 * SHA-256, a file is checked against it before it is loaded, and appears whole or not at all.
 */
final class NativeCache {
  /** Overrides the folder. */
  static final String PROPERTY = "autosparse.native.cache";

  private static final String TEMPORARY = "java.io.tmpdir";

  /** Ends the names of JCuda's libraries. */
  private static final String JCUDA_PLATFORM = "-12.6.0-linux-x86_64.so";

  private final Path folder;

  NativeCache(Path folder) {
    this.folder = folder;
  }

  /** {@code $XDG_CACHE_HOME/autosparse}, or {@code ~/.cache/autosparse}. */
  static NativeCache ofUser() {
    return new NativeCache(
        folder(System.getProperty(PROPERTY), System.getenv(), System.getProperty("user.home")));
  }

  static Path folder(String property, Map<String, String> environment, String home) {
    if (property != null && !property.isEmpty()) {
      return Path.of(property).toAbsolutePath();
    }
    String caches = environment.get("XDG_CACHE_HOME");
    Path parent = caches == null || caches.isEmpty() ? Path.of(home, ".cache") : Path.of(caches);
    return parent.resolve("autosparse").toAbsolutePath();
  }

  /**
   * Runs {@code first}, which touches a class of JCuda for the first time, so that it finds its
   * library here instead of unpacking it: JCuda looks in {@code java.io.tmpdir} and takes a file
   * that is there.
   *
   * @param library such as {@code JCudaDriver}
   */
  void loadJCuda(String library, Runnable first) {
    Path file = unpack(jcudaResource(library));
    synchronized (NativeCache.class) {
      String before = System.getProperty(TEMPORARY);
      System.setProperty(TEMPORARY, file.getParent().toString());
      try {
        first.run();
      } finally {
        System.setProperty(TEMPORARY, before);
      }
    }
  }

  /** Name of the resource that holds one of JCuda's libraries. */
  static String jcudaResource(String library) {
    return "/lib/lib" + library + JCUDA_PLATFORM;
  }

  /**
   * Unpacks a resource unless it is there already, unharmed.
   *
   * @param resource absolute name of a resource of this class's jar or another one's
   * @return the file, under the resource's own name
   * @throws NativeCacheException when the folder cannot be used
   */
  Path unpack(String resource) {
    byte[] content = read(resource);
    String digest = sha256(content);
    String name = resource.substring(resource.lastIndexOf('/') + 1);
    Path home = folder.resolve(digest.substring(0, 16));
    Path file = home.resolve(name);
    try {
      Files.createDirectories(
          home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      if (Files.isRegularFile(file) && sha256(Files.readAllBytes(file)).equals(digest)) {
        return file;
      }
      Path temporary = Files.createTempFile(home, name, ".part");
      try {
        Files.write(temporary, content);
        move(temporary, file);
      } finally {
        Files.deleteIfExists(temporary);
      }
      return file;
    } catch (IOException e) {
      throw new NativeCacheException(
          "native libraries cannot be unpacked to "
              + folder
              + " ("
              + e
              + "); set XDG_CACHE_HOME to a folder that can be written",
          e);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException("no atomic move within " + to.getParent(), e);
    }
  }

  private static byte[] read(String resource) {
    try (InputStream stream = NativeCache.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new NativeCacheException("native library " + resource + " is not in the jar", null);
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new NativeCacheException("native library " + resource + " cannot be read: " + e, e);
    }
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
