package autosparse.costmodel;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.util.List;
import java.util.Locale;

/**
 * Everything that decides a network's shape.
 *
 * @param kind which network
 * @param ops operators it ranks schedules of
 * @param channels C of the pattern tower
 * @param tokens how schedules become numbers
 * @param derivedFeatures whether a token of derived features joins each schedule's tokens
 * @param attentionLayers 1 or 2
 * @param featureAt where the pattern's features enter the head
 * @param head sizes of the head
 * @param workFeatures whether that token also says what the schedule does with the matrix, counted
 *     from its pattern; files written before there were such features do not name it: false
 * @param featureBins most bins of the piecewise linear encoding that follows these features, see
 *     {@link autosparse.costmodel.tokens.Bins}; 0, as in files written before, for none
 */
public record ModelConfig(
    ModelKind kind,
    List<Op> ops,
    int channels,
    TokenForm tokens,
    boolean derivedFeatures,
    int attentionLayers,
    FeatureAt featureAt,
    Head head,
    boolean workFeatures,
    int featureBins) {

  /** Bins of a feature at most: finer than the powers of two that most features are. */
  public static final int MOST_BINS = 256;

  /** Width of the pattern's features: a published token less its 11 one-hots. */
  public static final int PATTERN_FEATURES = 117;

  /** How schedules become numbers, and how the head is built around them. */
  public enum TokenForm {
    /** log2 sizes, one-hot roles; pre-normalised residual blocks. */
    NORMALIZED,
    /** Raw vocabulary indices and sizes; attention without residual, no normalisation. */
    PUBLISHED;

    /** The name on the command line and in files. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where the pattern's features enter the head. */
  public enum FeatureAt {
    /** As one more token of the first attention layer. */
    TOKEN,
    /** Joined to every token after the first attention layer. */
    CONCAT;

    /** The name on the command line and in files. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Sizes of the head.
   *
   * @param encoderHidden hidden width of the token encoder
   * @param width width of a token after the encoder
   * @param attentionHeads heads, a divisor of width
   * @param residualHidden hidden width of the two residual MLPs
   */
  public record Head(int encoderHidden, int width, int attentionHeads, int residualHidden) {
    /** As AutoSparseNet publishes it. */
    public static final Head PUBLISHED = new Head(1024, 256, 8, 1024);

    /**
     * Half the width behind the encoder; what trains in minutes on a CPU. The encoder keeps its
     * hidden width: it runs once for each distinct token, not for each token of each schedule.
     */
    public static final Head COMPACT = new Head(1024, 128, 8, 256);

    public Head {
      if (encoderHidden < 1 || width < 1 || attentionHeads < 1 || residualHidden < 1) {
        throw new InputException(
            "head of widths "
                + List.of(encoderHidden, width, residualHidden)
                + " with "
                + attentionHeads
                + " attention heads, expected numbers above 0");
      }
    }
  }

  public ModelConfig {
    ops = List.copyOf(ops);
    if (ops.isEmpty()) {
      throw new InputException("no operator given, expected spmv, spmm or sddmm");
    }
    if (kind == ModelKind.WACO && ops.size() > 1) {
      throw new InputException(
          "model waco ranks one operator, given " + ops.size() + ": train one model each");
    }
    if (channels < 4 || channels % 4 != 0) {
      throw new InputException("channels " + channels + ", expected a positive multiple of 4");
    }
    if (attentionLayers != 1 && attentionLayers != 2) {
      throw new InputException("attention layers " + attentionLayers + ", expected 1 or 2");
    }
    if (head.width() % 4 != 0 || head.width() % head.attentionHeads() != 0) {
      throw new InputException(
          "head width "
              + head.width()
              + ", expected a multiple of 4 and of its "
              + head.attentionHeads()
              + " attention heads");
    }
    if (tokens == TokenForm.PUBLISHED && derivedFeatures && kind.hasTokenHead()) {
      throw new InputException(
          "published tokens carry no derived features: add --derived-features off");
    }
    if (workFeatures && !derivedFeatures) {
      throw new InputException(
          "work features join the token of derived features: add --work-features off");
    }
    if (featureBins < 0 || featureBins > MOST_BINS) {
      throw new InputException("feature bins " + featureBins + ", expected 0 to " + MOST_BINS);
    }
    if (featureBins > 0 && !derivedFeatures) {
      throw new InputException("feature bins are of derived features: add --feature-bins 0");
    }
  }

  /** Without work features. */
  public ModelConfig(
      ModelKind kind,
      List<Op> ops,
      int channels,
      TokenForm tokens,
      boolean derivedFeatures,
      int attentionLayers,
      FeatureAt featureAt,
      Head head) {
    this(kind, ops, channels, tokens, derivedFeatures, attentionLayers, featureAt, head, false, 0);
  }

  /** The same with features of what a schedule does with the matrix. */
  public ModelConfig withWorkFeatures() {
    return with(true, featureBins);
  }

  /** The same with a piecewise linear encoding of its features. */
  public ModelConfig withFeatureBins(int bins) {
    return with(workFeatures, bins);
  }

  private ModelConfig with(boolean work, int bins) {
    return new ModelConfig(
        kind, ops, channels, tokens, derivedFeatures, attentionLayers, featureAt, head, work, bins);
  }

  /** AutoSparseNet in the published form: raw tokens, published head. */
  public static ModelConfig published(ModelKind kind, Op op, int channels) {
    return new ModelConfig(
        kind,
        List.of(op),
        channels,
        TokenForm.PUBLISHED,
        false,
        1,
        FeatureAt.TOKEN,
        Head.PUBLISHED);
  }
}
