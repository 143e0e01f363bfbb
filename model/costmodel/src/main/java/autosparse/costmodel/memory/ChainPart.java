package autosparse.costmodel.memory;

import java.util.List;

/**
 * A part of a chain of layers: one layer whose output is kept, or a run of layers that is computed
 * again when the backward pass needs its insides.
 *
 * @param from first layer
 * @param to behind the last layer
 * @param inner how the layers are run when they are computed again; empty for a kept layer
 */
public record ChainPart(int from, int to, List<ChainPart> inner) {
  public ChainPart {
    inner = List.copyOf(inner);
    if (inner.isEmpty() ? to != from + 1 : !covers(from, to, inner)) {
      throw new IllegalArgumentException(
          "layers " + from + " to " + to + " of " + inner + ": expected adjoining parts");
    }
  }

  private static boolean covers(int from, int to, List<ChainPart> parts) {
    int at = from;
    for (ChainPart part : parts) {
      if (part.from != at) {
        return false;
      }
      at = part.to;
    }
    return at == to;
  }

  static ChainPart kept(int layer) {
    return new ChainPart(layer, layer + 1, List.of());
  }

  static ChainPart again(List<ChainPart> inner) {
    return new ChainPart(inner.get(0).from, inner.get(inner.size() - 1).to, inner);
  }

  /** Whether this is a layer whose output is kept. */
  public boolean isKept() {
    return inner.isEmpty();
  }

  /** Such as {@code 0 (1 2 3) 4}: layers in brackets are computed again. */
  public static String text(List<ChainPart> parts) {
    StringBuilder text = new StringBuilder();
    for (ChainPart part : parts) {
      text.append(text.isEmpty() ? "" : " ");
      text.append(part.isKept() ? String.valueOf(part.from) : "(" + text(part.inner) + ")");
    }
    return text.toString();
  }
}
