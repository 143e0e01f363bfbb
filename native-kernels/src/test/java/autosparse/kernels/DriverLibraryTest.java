package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DriverLibraryTest {
  @TempDir Path folder;

  @Test
  void isFoundInADirectory() throws IOException {
    Path library = Files.createFile(folder.resolve(DriverLibrary.NAME));
    assertEquals(
        Optional.of(library.toString()),
        DriverLibrary.find(
            DriverLibrary.NAME,
            List.of(folder.resolve("absent"), folder),
            folder.resolve("absent")));
  }

  @Test
  void isFoundThroughTheLinkersCache() throws IOException {
    Path library = Files.createFile(folder.resolve(DriverLibrary.NAME));
    Path cache = folder.resolve("ld.so.cache");
    String content = "header\0/lib/libm.so.6\0libcuda.so.1\0" + library + "\0/lib/libz.so.1\0";
    Files.writeString(cache, content, StandardCharsets.ISO_8859_1);
    assertEquals(
        Optional.of(library.toString()), DriverLibrary.find(DriverLibrary.NAME, List.of(), cache));
    Files.delete(library);
    assertEquals(
        Optional.empty(),
        DriverLibrary.find(DriverLibrary.NAME, List.of(), cache),
        "a stale entry");
  }

  @Test
  void isAbsentOtherwise() throws IOException {
    Path cache = Files.writeString(folder.resolve("ld.so.cache"), "header\0/lib/libm.so.6\0");
    assertEquals(Optional.empty(), DriverLibrary.find(DriverLibrary.NAME, List.of(folder), cache));
  }

  @Test
  void searchPathMayBeUnsetOrHaveEmptyEntries() {
    assertEquals(List.of(), DriverLibrary.directories(null));
    assertEquals(List.of(Path.of("/a"), Path.of("/b")), DriverLibrary.directories("/a::/b:"));
  }
}
