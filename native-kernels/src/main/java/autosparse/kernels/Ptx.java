package autosparse.kernels;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One file of PTX and what its entries take, so that a launch with wrong arguments is refused. */
final class Ptx {
  /** Type of a kernel's parameter. */
  enum Parameter {
    I32,
    I64,
    F32,
    F64
  }

  private static final Pattern ENTRY =
      Pattern.compile("\\.entry\\s+(\\w+)\\s*\\(([^)]*)\\)", Pattern.DOTALL);
  private static final Pattern PARAMETER =
      Pattern.compile("\\.param\\s+(?:\\.align\\s+\\d+\\s+)?\\.(\\w+)\\s+");

  private final String family;
  private final String architecture;
  private final byte[] text;
  private final Map<String, List<Parameter>> entries = new LinkedHashMap<>();

  Ptx(String family, String architecture, byte[] text) {
    this.family = family;
    this.architecture = architecture;
    this.text = text;
    Matcher entry = ENTRY.matcher(new String(text, StandardCharsets.US_ASCII));
    while (entry.find()) {
      List<Parameter> parameters = new ArrayList<>();
      Matcher parameter = PARAMETER.matcher(entry.group(2));
      while (parameter.find()) {
        parameters.add(parameter(entry.group(1), parameter.group(1)));
      }
      entries.put(entry.group(1), List.copyOf(parameters));
    }
  }

  private Parameter parameter(String entry, String type) {
    return switch (type) {
      case "u32", "s32", "b32" -> Parameter.I32;
      case "u64", "s64", "b64" -> Parameter.I64;
      case "f32" -> Parameter.F32;
      case "f64" -> Parameter.F64;
      default ->
          throw new IllegalStateException(
              "kernel "
                  + family
                  + "."
                  + entry
                  + " has a parameter of type ."
                  + type
                  + ": expected 32 or 64 bits, no structures");
    };
  }

  String family() {
    return family;
  }

  String architecture() {
    return architecture;
  }

  byte[] text() {
    return text.clone();
  }

  /** Entries in the file's order, with their parameters. */
  Map<String, List<Parameter>> entries() {
    return entries;
  }

  /**
   * @throws IllegalStateException when there is no such entry
   */
  List<Parameter> parameters(String entry) {
    List<Parameter> parameters = entries.get(entry);
    if (parameters == null) {
      throw new IllegalStateException(
          "no kernel " + entry + " in " + family + " (" + architecture + "): " + entries.keySet());
    }
    return parameters;
  }
}
