package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.MatrixReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
  @TempDir Path folder;
  private final Program program = new Program();

  private static List<String> generate(String kind, Path out, String... rest) {
    return Program.join(List.of("generate", "--kind", kind, "--out", out.toString()), rest);
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aFileAFolderAMixAndAVariant() throws IOException {
    Path file = folder.resolve("m.csr");
    program.succeed(generate("band", file, "--rows", "100", "--nnz", "700"));
    assertEquals(100, MatrixReader.read(file).rows());
    long nonzeros = MatrixReader.read(file).nnz();
    assertTrue(program.out().startsWith("1 matrix, " + nonzeros + " nonzeros, "), program.out());
    Path many = folder.resolve("many");
    program.succeed(generate("stencil", many, "--rows", "81", "--count", "2", "--format", "mtx"));
    assertEquals(List.of("stencil01.mtx", "stencil02.mtx"), names(many));
    Path mix = folder.resolve("mix");
    program.succeed(
        generate(
            "mix",
            mix,
            "--count",
            "9",
            "--min-rows",
            "50",
            "--max-rows",
            "300",
            "--min-nnz",
            "100",
            "--max-nnz",
            "900"));
    assertEquals(9, names(mix).size());
    Path variants = folder.resolve("variants");
    program.succeed(
        generate(
            "expand", variants, "--matrix", file.toString(), "--shape", "2x3", "--count", "2"));
    assertEquals(List.of("m_2x3_0.mtx.gz", "m_2x3_1.mtx.gz"), names(variants));
    assertEquals(300, MatrixReader.read(variants.resolve("m_2x3_0.mtx.gz")).cols());
    program.succeed(generate("resize", variants, "--matrix", file.toString(), "--shape", "40x50"));
    assertEquals(40, MatrixReader.read(variants.resolve("m_40x50_0.mtx.gz")).rows());
  }

  @Test
  void whatIsThereStaysUnlessForced() throws IOException {
    Path file = folder.resolve("m.mtx");
    List<String> once = generate("uniform", file, "--rows", "20", "--nnz", "40");
    program.succeed(once);
    byte[] before = Files.readAllBytes(file);
    program.refuse(Program.join(once, "--seed", "2"), "is there already", "--force");
    assertArrayEquals(before, Files.readAllBytes(file));
    program.succeed(Program.join(once, "--force"));
    assertArrayEquals(before, Files.readAllBytes(file));
  }

  @Test
  void refusals() throws IOException {
    Path out = folder.resolve("out");
    program.refuse(generate("bend", out), "kind bend, expected band");
    program.refuse(generate("band", out, "--nnz", "5"), "--rows: missing");
    program.refuse(generate("band", out, "--rows", "5"), "--nnz: missing");
    program.refuse(generate("band", out, "--rows", "5", "--nnz", "26"), "--nnz: 26");
    program.refuse(generate("mix", out, "--rows", "5"), "--rows: given");
    program.refuse(generate("mix", out, "--parameter", "5"), "--parameter: 5.0");
    program.refuse(generate("expand", out), "--matrix: missing");
    program.refuse(
        generate("resize", out, "--matrix", "m.csr", "--shape", "9x9", "--count", "2"),
        "--count: 2");
    program.refuse(generate("expand", out, "--matrix", "m.csr", "--shape", "0x1"), "16x4");
    program.refuse(
        generate("band", folder.resolve("m.csr"), "--rows", "5", "--nnz", "5", "--count", "2"),
        "--count: 2");
    program.refuse(
        generate("band", folder.resolve("m.csr"), "--rows", "5", "--nnz", "5", "--format", "mtx"),
        "--format mtx");
    assertFalse(Files.exists(out));
    assertEquals(List.of(), names(folder));
  }
}
