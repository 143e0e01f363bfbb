package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  private static final String RESOURCE = "/lib/libJCudaDriver-12.6.0-linux-x86_64.so";

  @TempDir Path folder;

  @Test
  void unpacksOnceIntoAFolderNamedByContent() throws IOException {
    NativeCache cache = new NativeCache(folder.resolve("new"));
    Path file = cache.unpack(RESOURCE);
    byte[] content = Files.readAllBytes(file);
    assertEquals(
        NativeCache.sha256(content).substring(0, 16),
        String.valueOf(file.getParent().getFileName()));
    assertEquals("rwx------", permissions(file.getParent()));
    var written = Files.getLastModifiedTime(file);
    assertEquals(file, cache.unpack(RESOURCE));
    assertEquals(written, Files.getLastModifiedTime(file));
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertEquals(1, files.count(), "no temporary file is left");
    }
  }

  private static String permissions(Path path) throws IOException {
    return java.nio.file.attribute.PosixFilePermissions.toString(
        Files.getPosixFilePermissions(path));
  }

  @Test
  void harmedFileIsReplaced() throws IOException {
    NativeCache cache = new NativeCache(folder);
    Path file = cache.unpack(RESOURCE);
    byte[] content = Files.readAllBytes(file);
    Files.write(file, new byte[] {1, 2, 3});
    assertArrayEquals(content, Files.readAllBytes(cache.unpack(RESOURCE)));
  }

  @Test
  void unusableFolderIsOneLineWithTheWayOut() throws IOException {
    Path file = Files.writeString(folder.resolve("taken"), "a file");
    String message =
        assertThrows(NativeCacheException.class, () -> new NativeCache(file).unpack(RESOURCE))
            .getMessage();
    assertEquals(1, message.lines().count());
    assertTrue(message.startsWith("native libraries cannot be unpacked to " + file), message);
    assertTrue(message.endsWith("set XDG_CACHE_HOME to a folder that can be written"), message);
  }

  @Test
  void folderIsTheUsers() {
    assertEquals(Path.of("/p"), NativeCache.folder("/p", Map.of("XDG_CACHE_HOME", "/x"), "/h"));
    assertEquals(
        Path.of("/x/autosparse"), NativeCache.folder(null, Map.of("XDG_CACHE_HOME", "/x"), "/h"));
    assertEquals(
        Path.of("/h/.cache/autosparse"),
        NativeCache.folder("", Map.of("XDG_CACHE_HOME", ""), "/h"));
  }

  @Test
  void temporaryFolderIsAsBeforeAfterLoading() {
    String before = System.getProperty("java.io.tmpdir");
    String[] seen = new String[1];
    new NativeCache(folder)
        .loadJCuda("JCudaDriver", () -> seen[0] = System.getProperty("java.io.tmpdir"));
    assertTrue(seen[0].startsWith(folder.toString()), seen[0]);
    assertEquals(before, System.getProperty("java.io.tmpdir"));
  }
}
