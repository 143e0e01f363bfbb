package autosparse.trainer;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.util.jar.Attributes;
import java.util.jar.Manifest;

/** What the jar's manifest says of its making. */
public final class BuildInfo {
  private BuildInfo() {}

  /** The product's version; {@code development} when run from class files. */
  public static String version() {
    return attribute("Implementation-Version", "development");
  }

  /** The commit it was built from, {@code -dirty} after it where files had been changed. */
  public static String commit() {
    return attribute("Git-Commit", "unknown");
  }

  private static String attribute(String name, String otherwise) {
    URL location = Main.class.getProtectionDomain().getCodeSource().getLocation();
    if (!location.getPath().endsWith(".jar")) {
      return otherwise;
    }
    try (InputStream in =
        URI.create("jar:" + location + "!/META-INF/MANIFEST.MF").toURL().openStream()) {
      Attributes attributes = new Manifest(in).getMainAttributes();
      String value = attributes.getValue(name);
      return value == null ? otherwise : value;
    } catch (IOException e) {
      return otherwise;
    }
  }
}
