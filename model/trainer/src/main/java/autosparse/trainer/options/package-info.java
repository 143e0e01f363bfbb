/** What the user asked for, parsed and checked: plain immutable records. */
package autosparse.trainer.options;
