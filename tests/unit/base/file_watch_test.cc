// Watching files: every way in which one is replaced is seen, once.
#include "broker_adapters/base/file_watch.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "llm-router-watch-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path Write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  fs::path operator/(std::string_view name) const { return path_ / name; }

 private:
  fs::path path_;
};

TEST_CASE("a file that came, was written, was renamed over or went is seen once") {
  const Folder folder;
  FileWatch watch({folder / "file"});
  CHECK_FALSE(watch.Changed());
  folder.Write("file", "one");
  CHECK(watch.Changed());
  CHECK_FALSE(watch.Changed());
  folder.Write("file", "longer");
  CHECK(watch.Changed());
  fs::rename(folder.Write("new", "longer"), folder / "file");
  CHECK(watch.Changed());
  fs::remove(folder / "file");
  CHECK(watch.Changed());
  CHECK_FALSE(watch.Changed());
}

TEST_CASE("a symbolic link that is turned is seen") {
  const Folder folder;
  folder.Write("first", "text");
  folder.Write("second", "text");
  fs::create_symlink("first", folder / "link");
  FileWatch watch({folder / "link"});
  fs::create_symlink("second", folder / "other");
  fs::rename(folder / "other", folder / "link");
  CHECK(watch.Changed());
}

TEST_CASE("any of several files counts") {
  const Folder folder;
  folder.Write("a", "text");
  FileWatch watch({folder / "a", folder / "b"});
  folder.Write("b", "text");
  CHECK(watch.Changed());
}

}  // namespace
}  // namespace llm_router
