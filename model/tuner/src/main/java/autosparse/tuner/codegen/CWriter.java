package autosparse.tuner.codegen;

/** Lines of C, indented by the blocks that are open. */
final class CWriter {
  private final StringBuilder out = new StringBuilder();
  private int depth;

  CWriter line(String text) {
    out.append("  ".repeat(depth)).append(text).append('\n');
    return this;
  }

  /** A comment on a line of its own. */
  CWriter comment(String text) {
    return line("/* " + text + " */");
  }

  CWriter blank() {
    out.append('\n');
    return this;
  }

  CWriter open(String text) {
    line(text.isEmpty() ? "{" : text + " {");
    depth++;
    return this;
  }

  CWriter close() {
    depth--;
    return line("}");
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
