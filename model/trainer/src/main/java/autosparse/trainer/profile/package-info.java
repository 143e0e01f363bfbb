/** What {@code memory-profile} found, and the files that show it. */
package autosparse.trainer.profile;
